/** A turn: whoever took the lock works off the marks, frees it, and looks once more. */
import { EntranceError } from "../model/error.ts";
import { parseReferenceKey } from "../model/reference.ts";
import type { Entry } from "../store/port.ts";
import { Holder, LockLost } from "./holder.ts";
import { dirtyPartition } from "./keys.ts";
import { type HeldLock, tryAcquire } from "./lock.ts";
import type { Context } from "./settings.ts";
import { Stepper } from "./step.ts";

/** Marks listed at once; enough to let several namespaces alternate. */
const listedMarks = 256;
/** After this many objects the lock is freed for a moment, so that other copies and later events get their chance. */
const objectsPerTurn = 2_000;
const afterFaultMs = 1_000;

/**
 * Runs turns until no mark is due or somebody else holds the lock. Returns the balancers whose nodes have something
 * to hear. Never throws: what could not be done is still marked, and a wake-up is asked for.
 */
export async function runTurns(context: Context, acquired: HeldLock): Promise<ReadonlySet<string>> {
  const touched = new Set<string>();
  let lock: HeldLock | undefined = acquired;
  while (lock !== undefined) {
    const holder = new Holder(context, lock);
    lock = undefined;
    context.counters.add("entrance_turns_total");
    try {
      await runTurn(context, holder, touched);
      await holder.release();
      // The second look: a mark that was made while the lock read held has nobody else to find it.
      const look = await context.store.list(dirtyPartition, undefined, 1);
      if (look.entries.length > 0) lock = await tryAcquire(context);
    } catch (error) {
      if (error instanceof LockLost) {
        context.counters.add("entrance_locks_lost_total");
        break;
      }
      context.warn(`a turn ended early: ${error instanceof Error ? error.message : String(error)}`);
      context.host.wakeAt(context.now() + afterFaultMs);
      if (!(error instanceof EntranceError)) context.counters.add("entrance_turn_faults_total");
      await holder.release().catch(() => undefined);
    }
  }
  return touched;
}

async function runTurn(context: Context, holder: Holder, touched: Set<string>): Promise<void> {
  const stepper = new Stepper(context, holder, touched);
  let after: string | undefined;
  for (let objects = 0; objects < objectsPerTurn; ) {
    const page = await context.store.list(dirtyPartition, after, listedMarks);
    // Go round: what was marked behind the place where this turn stands is worked in the next round.
    if (page.entries.length === 0 && after === undefined) return;
    after = page.next;
    for (const mark of rotated(page.entries)) {
      await stepper.marked(mark);
      await holder.keep();
      objects += 1;
    }
  }
}

/** One mark of each namespace after another, so that no namespace waits behind another one's burst. */
export function rotated(marks: readonly Entry[]): Entry[] {
  const byNamespace = new Map<string, Entry[]>();
  for (const mark of marks) {
    const namespace = parseReferenceKey(mark.key.sort)?.namespace ?? "";
    const queue = byNamespace.get(namespace);
    if (queue === undefined) byNamespace.set(namespace, [mark]);
    else queue.push(mark);
  }
  const queues = [...byNamespace.values()];
  const result: Entry[] = [];
  for (let round = 0; result.length < marks.length; round += 1) {
    for (const queue of queues) {
      const mark = queue[round];
      if (mark !== undefined) result.push(mark);
    }
  }
  return result;
}
