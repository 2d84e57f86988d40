/** The timer's work: marks that are due, a holder that died, nodes that are behind, digests by the minute. */
import { parseReferenceKey } from "../model/reference.ts";
import { type Entry, maxPageSize } from "../store/port.ts";
import { completeHeads } from "./complete.ts";
import { dirtyKey, dirtyPartition, laterPartition, tickKey } from "./keys.ts";
import { tryAcquire } from "./lock.ts";
import { readMark } from "./mark.ts";
import type { Pusher } from "./push.ts";
import type { Context } from "./settings.ts";
import { type OnReferred, runTurns } from "./turn.ts";

/** Does what is due. Throws what the store throws. */
export async function tick(context: Context, pusher: Pusher, onReferred: OnReferred): Promise<void> {
  await promote(context);
  await workDue(context, pusher, onReferred);
  await completeHeads(context);
  const isMinute = await isTurnOf(context, "digest", context.timing.digestMs);
  if (isMinute) context.host.after(() => tend(context));
  await pusher.repair(isMinute);
}

export async function workDue(context: Context, pusher: Pusher, onReferred: OnReferred): Promise<void> {
  const due = await context.store.list(dirtyPartition, undefined, 1);
  if (due.entries.length > 0) {
    const lock = await tryAcquire(context);
    if (lock !== undefined) await runTurns(context, lock, (committed) => pusher.committed(committed), onReferred);
  }
}

async function tend({ store, now, warn }: Context): Promise<void> {
  try {
    await store.tend?.(now());
  } catch (error) {
    warn(`the store's upkeep: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Postponed marks whose time has come. */
async function promote(context: Context): Promise<void> {
  let after: string | undefined;
  do {
    const page = await context.store.list(laterPartition, after, maxPageSize);
    for (const entry of page.entries) await promoteOne(context, entry);
    after = page.next;
  } while (after !== undefined);
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

/** Whether it is this copy that does a periodic job now: a conditional write shares the job between copies. */
async function isTurnOf(context: Context, name: string, everyMs: number): Promise<boolean> {
  const key = tickKey(name);
  const entry = await context.store.get(key);
  const last = entry === undefined ? 0 : Number(JSON.parse(entry.value));
  if (context.now() - last < everyMs) return false;
  const result = await context.store.commit(
    [{ key, version: entry?.version ?? null }],
    [{ key, value: String(context.now()) }],
  );
  return result.ok;
}
