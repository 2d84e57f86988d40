/** The lock saves work; it makes nothing safe. Safe is that every commit checks the record as its holder wrote it. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import type { Check, Entry, Version, Write } from "../store/port.ts";
import { lockKey } from "./keys.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";

const schema = v.object({
  /** Empty: free. */
  holder: v.string(),
  /** Goes up with every acquisition, and never down. */
  fence: v.number(),
  /** Ms since 1970 by the holder's clock. */
  expires: v.number(),
  /** By an operator's command: nobody gets the lock, and nothing is observed that a turn would have to follow. */
  closed: v.optional(
    v.object({
      why: v.picklist(["moved", "importing"]),
      /** Ms since 1970. */
      since: v.number(),
    }),
  ),
});

export type LockRecord = v.InferOutput<typeof schema>;
export type Closed = NonNullable<LockRecord["closed"]>;

/** What the lock needs of its surroundings: an operator's command has no more. */
export type Locking = Pick<Context, "store" | "now" | "timing" | "instance" | "counters">;

const freshLock: LockRecord = { holder: "", fence: 0, expires: 0 };

export function readLock(entry: Entry | undefined): LockRecord {
  return entry === undefined ? freshLock : readRecord(schema, entry);
}

/** Of callers who could come again: by then they may be sent to the store that took this one's place. */
const closedRetrySeconds = 10;

/** Throws `busy` where an operator has closed the store. */
export function refuseClosed({ closed }: LockRecord): void {
  if (closed === undefined) return;
  throw new EntranceError("busy", closedSentence(closed), { retryAfterSeconds: closedRetrySeconds });
}

export function closedSentence({ why }: Closed): string {
  return why === "moved"
    ? "this store is closed, since it was exported to take another place: start Entrance with the settings of that " +
        "one, or open this one again with npm run store -- open"
    : "an import into this store has not come to its end: run it once more";
}

/** A lock as its holder last wrote it. */
export interface HeldLock {
  readonly fence: number;
  readonly version: Version;
  readonly writtenAt: number;
}

/** What a free or expired lock takes to be acquired; undefined while somebody holds it. Throws `busy` if it is closed. */
export function acquisition(
  context: Locking,
  entry: Entry | undefined,
): { check: Check; write: Write; fence: number } | undefined {
  const record = readLock(entry);
  refuseClosed(record);
  const now = context.now();
  if (record.holder !== "" && now < record.expires + context.timing.clockMarginMs) return undefined;
  if (record.holder !== "") context.counters.add("entrance_lock_takeovers_total");
  const next: LockRecord = { holder: context.instance, fence: record.fence + 1, expires: now + context.timing.leaseMs };
  return {
    check: { key: lockKey, version: entry?.version ?? null },
    write: { key: lockKey, value: JSON.stringify(next) },
    fence: next.fence,
  };
}

/** Reads the lock and takes it if it is free or expired; undefined: somebody has it. */
export async function tryAcquire(context: Locking): Promise<HeldLock | undefined> {
  return acquire(context, await context.store.get(lockKey));
}

/** The same where it is known how the lock stands; undefined also where somebody has had it since. */
export async function acquire(context: Locking, entry: Entry | undefined): Promise<HeldLock | undefined> {
  const attempt = acquisition(context, entry);
  if (attempt === undefined) return undefined;
  const result = await context.store.commit([attempt.check], [attempt.write]);
  if (result.ok) context.counters.add("entrance_fences_total");
  return result.ok ? { fence: attempt.fence, version: result.version, writtenAt: context.now() } : undefined;
}

/** Good for another lease; undefined: it was lost. */
export async function extend(context: Locking, lock: HeldLock): Promise<HeldLock | undefined> {
  const now = context.now();
  const result = await context.store.commit(
    [{ key: lockKey, version: lock.version }],
    [{ key: lockKey, value: heldLockText(context, lock.fence, now) }],
  );
  return result.ok ? { fence: lock.fence, version: result.version, writtenAt: now } : undefined;
}

/** The record of a lock for another lease from `now`. */
export function heldLockText(context: Locking, fence: number, now: number): string {
  const record: LockRecord = { holder: context.instance, fence, expires: now + context.timing.leaseMs };
  return JSON.stringify(record);
}

/** The record of a lock that its holder frees; its fence stays. */
export function freeLockText(lock: HeldLock): string {
  const record: LockRecord = { holder: "", fence: lock.fence, expires: 0 };
  return JSON.stringify(record);
}

/** Frees it, if it is still ours. */
export async function release(context: Locking, lock: HeldLock): Promise<void> {
  const check = { key: lockKey, version: lock.version };
  await context.store.commit([check], [{ key: lockKey, value: freeLockText(lock) }]);
}

/** Frees what a process left behind that died with the lock; only where no other process can have it. */
export async function freeLeftOver(context: Context): Promise<void> {
  const entry = await context.store.get(lockKey);
  if (entry === undefined) return;
  const record = readRecord(schema, entry);
  if (record.holder === "" || record.holder === context.instance) return;
  const free: LockRecord = { holder: "", fence: record.fence, expires: 0 };
  const check = { key: lockKey, version: entry.version };
  await context.store.commit([check], [{ key: lockKey, value: JSON.stringify(free) }]);
}
