/**
 * etcd keeps every value that a key ever had until somebody compacts its history, and its quota would be used up by
 * what nobody asks for any more. So the timer does what a kube-apiserver does with an etcd of its own: every five
 * minutes one copy has all history dropped that is older than that. Whoever writes the key `compaction` is that copy, and
 * the revision of its last writing is how far history is dropped: nothing else has to be remembered.
 */
import { EntranceError } from "../model/error.ts";
import { Deadline } from "./deadline.ts";
import type { EtcdCluster } from "./etcd-cluster.ts";
import { readOnly } from "./etcd-commit.ts";
import type { EtcdKeys } from "./etcd-keys.ts";
import { EtcdFault } from "./etcd-transport.ts";

/** A commit whose answer was lost reads the history of some seconds. */
const keptMs = 300_000;

/** `now` in ms since 1970. Throws {@link EtcdFault}; `misconfigured` where etcd does not let this user compact. */
export async function compactEtcd(cluster: EtcdCluster, keys: EtcdKeys, now: number): Promise<void> {
  const key = keys.compaction;
  const found = (await cluster.untilAnswered(readOnly({ type: "range", key }), new Deadline())).ranges[0]?.kvs[0];
  // A clock that was set back waits no longer than another one.
  const age = found === undefined ? keptMs : Math.abs(now - Number(found.value));
  if (age < keptMs) return;
  const isOurs = await noted(cluster, key, found?.mod ?? "0", now);
  if (!isOurs || found === undefined) return;
  try {
    await cluster.compact(found.mod);
  } catch (error) {
    if (!(error instanceof EtcdFault)) throw error;
    if (/has been compacted/.test(error.message)) return;
    if (!/permission denied/.test(error.message)) throw error;
    const sentence =
      "etcd does not let ENTRANCE_ETCD_USER compact its history: set ENTRANCE_ETCD_COMPACTION=off, and start etcd with " +
      "--auto-compaction-mode=periodic --auto-compaction-retention=10m";
    throw new EntranceError("misconfigured", sentence, { cause: error });
  }
}

/** With its quota used up etcd takes no note, and compacting is what it needs. */
async function noted(cluster: EtcdCluster, key: Uint8Array, mod: string, now: number): Promise<boolean> {
  try {
    const answer = await cluster.once({
      compare: [{ type: "mod-is", key, revision: mod }],
      success: [{ type: "put", key, value: String(now) }],
      failure: [],
    });
    return answer.succeeded;
  } catch (error) {
    if (error instanceof EtcdFault && /database space exceeded/.test(error.message)) return true;
    throw error;
  }
}
