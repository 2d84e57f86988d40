/** The timer's work: marks that are due, a holder that died, nodes that are behind, digests by the minute. */
import { parseReferenceKey } from "../model/reference.ts";
import { entriesOf } from "../store/entries.ts";
import type { Entry } from "../store/port.ts";
import { completeHeads } from "./complete.ts";
import { dirtyKey, dirtyPartition, laterPartition, lockKey, tickKey } from "./keys.ts";
import type { OnReferred } from "./ledger.ts";
import { listAfterSilence } from "./list-tick.ts";
import { readLock, tryAcquire } from "./lock.ts";
import { readMark } from "./mark.ts";
import type { Pusher } from "./push.ts";
import type { Context } from "./settings.ts";
import { runTurns } from "./turn.ts";

/** So long no copy has been at work: with one of them this is never more than a minute and a timer's period. */
const silentMs = 180_000;

/** Does what is due. Throws what the store throws. */
export async function tick(context: Context, pusher: Pusher, onReferred: OnReferred): Promise<void> {
  await promote(context);
  await workDue(context, pusher, onReferred);
  await completeHeads(context);
  const since = await turnOf(context, "digest", context.timing.digestMs);
  if (since !== undefined) context.host.after(() => tend(context));
  // Reviews and events of that time found nobody.
  if (since !== undefined && since > silentMs && context.kubernetes !== undefined) await listAfterSilence(context);
  await pusher.repair(since !== undefined);
}

export async function workDue(context: Context, pusher: Pusher, onReferred: OnReferred): Promise<void> {
  const due = await context.store.list(dirtyPartition, undefined, 1);
  if (due.entries.length > 0) {
    const lock = await tryAcquire(context);
    if (lock === undefined) await wakeWhenFree(context);
    else await runTurns(context, lock, (committed) => pusher.committed(committed), onReferred);
  }
}

async function tend({ store, now, warn }: Context): Promise<void> {
  try {
    await store.tend?.(now());
  } catch (error) {
    warn(`the store's upkeep: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Its holder may be dead: then nobody frees it, and these marks wait for the end of its lease alone. */
async function wakeWhenFree({ store, host, timing }: Context): Promise<void> {
  const { holder, expires } = readLock(await store.get(lockKey));
  if (holder !== "") host.wakeAt(expires + timing.clockMarginMs);
}

/** Postponed marks whose time has come. */
async function promote(context: Context): Promise<void> {
  for await (const entry of entriesOf(context.store, laterPartition)) await promoteOne(context, entry);
}

async function promoteOne(context: Context, entry: Entry): Promise<void> {
  const { first, tries, due = 0 } = readMark(entry);
  const reference = parseReferenceKey(entry.key.sort);
  if (reference === undefined || due > context.now()) return;
  await context.store.commit(
    [
      { key: entry.key, version: entry.version },
      { key: dirtyKey(reference), version: null },
    ],
    [
      { key: entry.key, value: null },
      { key: dirtyKey(reference), value: JSON.stringify({ first, tries }) },
    ],
  );
}

/**
 * Whether it is this copy that does a periodic job now: a conditional write shares the job between copies. Ms since it
 * was done last, 0 where it never was; undefined: it is not.
 */
async function turnOf(context: Context, name: string, everyMs: number): Promise<number | undefined> {
  const key = tickKey(name);
  const entry = await context.store.get(key);
  const last = entry === undefined ? 0 : Number(JSON.parse(entry.value));
  const now = context.now();
  if (now - last < everyMs) return undefined;
  const result = await context.store.commit([{ key, version: entry?.version ?? null }], [{ key, value: String(now) }]);
  if (!result.ok) return undefined;
  return last === 0 ? 0 : now - last;
}
