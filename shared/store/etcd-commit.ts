/**
 * A commit in etcd, once and for certain. An answer may be lost on its way, and a transaction that was sent may happen
 * at any later time. So every transaction that writes also
 *   - puts its own random id under one of a fixed number of keys (`commits/SLOT`): the proof that it happened, and
 *   - compares that slot's `fences/SLOT` with the time at which it was sent: who gives up on it writes there first.
 * Without an answer, one transaction asks for the proof and, where it is missing, writes the fence. The proof may have
 * been overwritten by a later commit of the same slot: etcd's history of that key is read back as far as need be.
 */
import { EntranceError } from "../model/error.ts";
import { Deadline, pause } from "./deadline.ts";
import { type EtcdCluster, isFinal, pauseMs } from "./etcd-cluster.ts";
import { type EtcdKeys, slots } from "./etcd-keys.ts";
import { type Compare, EtcdFault, type Operation, type Revision, type Txn, type TxnAnswer } from "./etcd-transport.ts";
import type { Check, CommitResult, Key, Write } from "./port.ts";

/** So many later commits of one slot are looked through for the proof. */
const maxHistory = 32;
/** A fence of somebody else's is no conflict: the next attempt takes another slot. */
const maxAttempts = 5;

/** What one attempt came to: its answer, or the certainty that it did not and will not happen. */
type Attempt = TxnAnswer | "never";

/** Throws {@link EtcdFault} where it certainly did not happen, `uncertain` and `busy`. */
export async function commitToEtcd(
  cluster: EtcdCluster,
  keys: EtcdKeys,
  checks: readonly Check[],
  writes: readonly Write[],
): Promise<CommitResult> {
  const deadline = new Deadline();
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const answer =
      writes.length === 0
        ? await cluster.untilAnswered(txnOf(keys, checks, [], undefined), deadline)
        : await write(cluster, keys, checks, writes, deadline);
    if (answer === "never") continue;
    if (answer.succeeded) return { ok: true, version: answer.revision };
    const conflicts = conflictsIn(answer, checks);
    if (conflicts.length > 0) return { ok: false, conflicts };
  }
  const sentence = "etcd: the commit was kept from happening several times: try again";
  throw new EntranceError("busy", sentence, { retryAfterSeconds: 1 });
}

interface Slot {
  readonly number: number;
  readonly id: string;
  /** What etcd had seen when the commit was made. */
  readonly since: bigint;
}

async function write(
  cluster: EtcdCluster,
  keys: EtcdKeys,
  checks: readonly Check[],
  writes: readonly Write[],
  deadline: Deadline,
): Promise<Attempt> {
  for (;;) {
    const number = (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % slots;
    const slot: Slot = { number, id: crypto.randomUUID(), since: cluster.revision };
    try {
      return await cluster.once(txnOf(keys, checks, writes, slot));
    } catch (fault) {
      if (!(fault instanceof EtcdFault) || isFinal(fault)) throw fault;
      if (!fault.never) return await resolve(cluster, keys, slot, deadline, fault);
      if (deadline.isNear()) throw fault;
      await pause(pauseMs);
    }
  }
}

/** Finds out whether the transaction happened, and sees to it that it won't if it has not. Throws `uncertain`. */
async function resolve(
  cluster: EtcdCluster,
  keys: EtcdKeys,
  slot: Slot,
  deadline: Deadline,
  fault: EtcdFault,
): Promise<Attempt> {
  const happened = keys.commitSlot(slot.number);
  const uncertain = (cause: unknown) => {
    const sentence = `etcd did not say whether the commit happened: ${fault.message}`;
    return new EntranceError("uncertain", sentence, { cause, retryAfterSeconds: 1 });
  };
  const last = { type: "range", key: happened } as const;
  const ask: Txn = {
    compare: [{ type: "value-is", key: happened, value: slot.id }],
    success: [last],
    failure: [{ type: "put", key: keys.fenceSlot(slot.number), value: "" }, last],
  };
  try {
    const answer = await cluster.untilAnswered(ask, deadline);
    // A store that went back in time (a restored backup) proves nothing.
    if (BigInt(answer.revision) < slot.since) throw uncertain(fault);
    let found = answer.ranges.at(-1)?.kvs[0];
    for (let step = 0; found !== undefined && BigInt(found.mod) > slot.since; step += 1) {
      if (found.value === slot.id) return { succeeded: true, revision: found.mod, ranges: [] };
      if (step === maxHistory) throw uncertain(fault);
      const at: Revision = String(BigInt(found.mod) - 1n);
      const earlier = await cluster.untilAnswered(readOnly({ ...last, at }), deadline);
      found = earlier.ranges[0]?.kvs[0];
    }
    if (deadline.isNear()) throw new EtcdFault(fault.message, { cause: fault, never: true });
    return "never";
  } catch (error) {
    if (error instanceof EtcdFault && error.never && error.cause === fault) throw error;
    throw error instanceof EtcdFault ? uncertain(error) : error;
  }
}

export function readOnly(...ranges: readonly Extract<Operation, { type: "range" }>[]): Txn {
  return { compare: [], success: ranges, failure: [] };
}

function txnOf(keys: EtcdKeys, checks: readonly Check[], writes: readonly Write[], slot: Slot | undefined): Txn {
  const compare = checks.map(
    ({ key, version }): Compare => ({ type: "mod-is", key: keys.entry(key), revision: revisionOf(version) }),
  );
  const success = writes.map(({ key, value }): Operation => {
    const name = keys.entry(key);
    return value === null ? { type: "delete", key: name } : { type: "put", key: name, value };
  });
  if (slot !== undefined) {
    compare.push({ type: "mod-below", key: keys.fenceSlot(slot.number), revision: String(slot.since + 1n) });
    success.push({ type: "put", key: keys.commitSlot(slot.number), value: slot.id });
  }
  const failure = checks.map(({ key }): Operation => ({ type: "range", key: keys.entry(key), keysOnly: true }));
  return { compare, success, failure };
}

function conflictsIn(answer: TxnAnswer, checks: readonly Check[]): Key[] {
  return checks
    .filter(({ version }, index) => (answer.ranges[index]?.kvs[0]?.mod ?? "0") !== revisionOf(version))
    .map(({ key }) => key);
}

/** A version that etcd cannot have given holds for nothing. */
function revisionOf(version: string | null): Revision {
  if (version === null) return "0";
  return /^[1-9][0-9]{0,17}$/.test(version) ? version : "-1";
}
