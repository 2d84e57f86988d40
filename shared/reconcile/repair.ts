/** The timer's work: marks that are due, a holder that died, nodes that are behind, digests by the minute. */
import { parseReferenceKey } from "../model/reference.ts";
import { maxPageSize } from "../store/port.ts";
import { dirtyKey, dirtyPartition, laterPartition, tickKey } from "./keys.ts";
import { tryAcquire } from "./lock.ts";
import { readMark } from "./mark.ts";
import type { Pusher } from "./push.ts";
import type { Context } from "./settings.ts";
import { runTurns } from "./turn.ts";

/** Does what is due. Throws what the store throws. */
export async function tick(context: Context, pusher: Pusher): Promise<void> {
  await promote(context);
  const due = await context.store.list(dirtyPartition, undefined, 1);
  if (due.entries.length > 0) {
    const lock = await tryAcquire(context);
    if (lock !== undefined) await runTurns(context, lock, (committed) => pusher.committed(committed));
  }
  await pusher.repair(await isTurnOf(context, "digest", context.timing.digestMs));
}

/** Postponed marks whose time has come. */
async function promote(context: Context): Promise<void> {
  const page = await context.store.list(laterPartition, undefined, maxPageSize);
  for (const entry of page.entries) {
    const mark = readMark(entry);
    const reference = parseReferenceKey(entry.key.sort);
    if (reference === undefined || (mark.due ?? 0) > context.now()) continue;
    const { first, tries } = mark;
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
