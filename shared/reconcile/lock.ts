/** The lock saves work; it makes nothing safe. Safe is that every commit checks the record as its holder wrote it. */
import * as v from "valibot";
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
});

export type LockRecord = v.InferOutput<typeof schema>;

/** A lock as its holder last wrote it. */
export interface HeldLock {
  readonly fence: number;
  readonly version: Version;
  readonly writtenAt: number;
}

/** What a free or expired lock takes to be acquired; undefined while somebody holds it. */
export function acquisition(
  context: Context,
  entry: Entry | undefined,
): { check: Check; write: Write; fence: number } | undefined {
  const record = entry === undefined ? { holder: "", fence: 0, expires: 0 } : readRecord(schema, entry);
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
export async function tryAcquire(context: Context): Promise<HeldLock | undefined> {
  const attempt = acquisition(context, await context.store.get(lockKey));
  if (attempt === undefined) return undefined;
  const result = await context.store.commit([attempt.check], [attempt.write]);
  if (result.ok) context.counters.add("entrance_fences_total");
  return result.ok ? { fence: attempt.fence, version: result.version, writtenAt: context.now() } : undefined;
}

/** Good for another lease; undefined: it was lost. */
export async function extend(context: Context, lock: HeldLock): Promise<HeldLock | undefined> {
  const now = context.now();
  const result = await context.store.commit(
    [{ key: lockKey, version: lock.version }],
    [{ key: lockKey, value: heldLockText(context, lock.fence, now) }],
  );
  return result.ok ? { fence: lock.fence, version: result.version, writtenAt: now } : undefined;
}

/** The record of a lock for another lease from `now`. */
export function heldLockText(context: Context, fence: number, now: number): string {
  const record: LockRecord = { holder: context.instance, fence, expires: now + context.timing.leaseMs };
  return JSON.stringify(record);
}

/** The record of a lock that its holder frees; its fence stays. */
export function freeLockText(lock: HeldLock): string {
  const record: LockRecord = { holder: "", fence: lock.fence, expires: 0 };
  return JSON.stringify(record);
}

/** Frees it, if it is still ours. */
export async function release(context: Context, lock: HeldLock): Promise<void> {
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
