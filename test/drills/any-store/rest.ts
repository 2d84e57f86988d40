/** When nothing goes wrong any more: every node comes to have what the cluster says, the lock is free, and no mark is due. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Head, readHead } from "../../../shared/reconcile/head.ts";
import { dirtyPartition, headKey, laterPartition, lockKey } from "../../../shared/reconcile/keys.ts";
import { listAll } from "../../../shared/reconcile/list-all.ts";
import type { Store } from "../../../shared/store/port.ts";
import type { EntranceProcess } from "../../harness/entrance-process.ts";
import type { TestNode } from "../../harness/node.ts";

/** Lease, clock margin, timer and push timeout are 20 s; a clock that is a minute off delays, and so does a busy machine. */
const withinMs = 300_000;
const everyMs = 50;

interface Rest {
  readonly head: Head;
  /** How long it took. */
  readonly ms: number;
}

export async function comeToRest(
  store: Store,
  entrances: readonly EntranceProcess[],
  nodes: readonly TestNode[],
): Promise<Rest> {
  const since = performance.now();
  for (let missing = "nothing was seen"; ; await sleep(everyMs)) {
    const ms = Math.round(performance.now() - since);
    try {
      const head = readHead(await store.get(headKey("openresty")));
      missing = await missingTo(head, store, nodes);
      if (missing === "" && head !== undefined) {
        await checkLock(store, entrances);
        return { head, ms };
      }
    } catch (error) {
      missing = String(error);
    }
    if (ms > withinMs) throw new Error(`after ${ms} ms: ${missing}`);
  }
}

async function missingTo(head: Head | undefined, store: Store, nodes: readonly TestNode[]): Promise<string> {
  for (const partition of [dirtyPartition, laterPartition]) {
    const marks = await listAll(store, partition);
    if (marks.length > 0) return `${partition} has ${marks.map(({ key }) => key.sort).join(" ")}`;
  }
  for (const [place, node] of nodes.entries()) {
    const { epoch, revision, digest } = await node.state();
    const isEqual = head?.epoch === epoch && head.revision === revision && head.digest === digest;
    if (!isEqual) return `node ${place} has ${epoch}/${revision} ${digest}, the head is ${JSON.stringify(head)}`;
  }
  return "";
}

/** One that a dead process left keeps nobody off once its lease is over. */
async function checkLock(store: Store, entrances: readonly EntranceProcess[]): Promise<void> {
  const { holder = "" } = JSON.parse((await store.get(lockKey))?.value ?? "{}") as { holder?: string };
  const living = await Promise.all(entrances.map(async (entrance) => (await entrance.status()).instance));
  if (living.includes(holder)) throw new Error(`${holder} still has the lock`);
}
