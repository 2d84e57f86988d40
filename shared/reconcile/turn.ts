/** A turn: whoever took the lock works off the marks, frees it, and looks once more. */
import { EntranceError } from "../model/error.ts";
import type { SeenReference } from "../model/observation.ts";
import { parseReferenceKey } from "../model/reference.ts";
import { type Entry, keyText, type Page } from "../store/port.ts";
import { foresee, foreseeRecorded } from "./foresee.ts";
import { dirtyKey, dirtyPartition, seenKey } from "./keys.ts";
import { Ledger, LockLost } from "./ledger.ts";
import { type HeldLock, tryAcquire } from "./lock.ts";
import { readMark } from "./mark.ts";
import { marksBehind } from "./marks-behind.ts";
import type { Committed } from "./revisions.ts";
import { rulesCheck } from "./rules.ts";
import type { Recorded } from "./seen.ts";
import type { Context } from "./settings.ts";
import { Stepper } from "./step.ts";

/** Marks listed at once; enough to let several namespaces alternate. */
const listedMarks = 256;
/** What these need is read side by side; of the largest objects that is 20 MB. */
const foreseenMarks = 64;
/** After this many objects the lock is freed for a moment, so that other copies and later events get their chance. */
const objectsPerTurn = 2_000;
const afterFaultMs = 1_000;
const slicesStart = "EndpointSlice/";
/** Behind all of them: "0" follows "/". */
const slicesEnd = "EndpointSlice0";

/** Hears of Secrets that something refers to since a turn, and nothing did before; hints of them are durable. */
export type OnReferred = (secrets: readonly SeenReference[]) => void;

/**
 * Runs turns until no mark is due or somebody else holds the lock; `onCommitted` hears of each revision as it becomes
 * durable. Never throws: what could not be done is still marked, and a wake-up is asked for. `recorded`: by the commit
 * that took the lock.
 */
export async function runTurns(
  context: Context,
  acquired: HeldLock,
  onCommitted: (committed: readonly Committed[]) => void,
  onReferred: OnReferred = () => undefined,
  recorded: readonly Recorded[] = [],
): Promise<void> {
  let lock: HeldLock | undefined = acquired;
  let begun = recorded;
  while (lock !== undefined) {
    context.counters.add("entrance_turns_total");
    const held: HeldLock = lock;
    lock = undefined;
    const ledger = new Ledger(context, held, onCommitted);
    try {
      // One that ends early may have come so far, too.
      await runTurn(context, ledger, begun).finally(() => ledger.referred.length > 0 && onReferred(ledger.referred));
      begun = [];
      // The second look: a mark that was made while the lock read held has nobody else to find it.
      const look = await context.store.list(dirtyPartition, undefined, 1);
      if (look.entries.length > 0) lock = await tryAcquire(context);
    } catch (error) {
      if (error instanceof LockLost) {
        context.counters.add("entrance_locks_lost_total");
        return;
      }
      context.warn(`a turn ended early: ${error instanceof Error ? error.message : String(error)}`);
      context.host.wakeAt(context.now() + afterFaultMs);
      if (!(error instanceof EntranceError)) context.counters.add("entrance_turn_faults_total");
      await ledger.free().catch(() => undefined);
    }
  }
}

/** The last commit of the turn frees the lock as well. */
async function runTurn(context: Context, ledger: Ledger, recorded: readonly Recorded[]): Promise<void> {
  const stepper = new Stepper(context, ledger);
  let after: string | undefined;
  const listMarks = () => context.store.list(dirtyPartition, after, listedMarks);
  // What it will need, as far as that is known before its marks are: all of it is one wait.
  const [first, rules] = await Promise.all([
    listMarks(),
    rulesCheck(context),
    ledger.open(),
    foreseeRecorded(context, ledger.readings, recorded),
  ]);
  ledger.abide(rules);
  let page = first;
  for (let objects = 0; ; ) {
    const behind = await marksBehind(context, page);
    // Listed last of all, so that whatever came before a route is among them.
    const place = behind.some(({ key }) => key.sort > slicesEnd) ? slicesEnd : after;
    const slices = place === undefined ? [] : await slicesBefore(context, place);
    ledger.readings.look(objects === 0 ? markedBeside(recorded, page) : undefined);
    const marks = [...slices, ...rotated([...page.entries, ...behind])];
    await workOff(context, ledger, stepper, marks);
    objects += marks.length;
    if (page.next === undefined && !ledger.marks.sets) break;
    await ledger.flush();
    if (objects >= objectsPerTurn) break;
    // Go round: what was marked before the place where this turn stands is worked in the next round.
    after = page.next;
    page = await listMarks();
  }
  await ledger.flush({ release: true });
}

/**
 * Names of what observers have written since the lock was taken with a commit that recorded these: each such write is
 * marked, or marked anew. Undefined: nothing is known of that.
 */
function markedBeside(recorded: readonly Recorded[], { entries, next }: Page): ReadonlySet<string> | undefined {
  const version = recorded[0]?.entry.version;
  if (version === undefined || next !== undefined) return undefined;
  const names = new Set<string>();
  for (const mark of entries) {
    const reference = parseReferenceKey(mark.key.sort);
    if (mark.version === version || reference === undefined) continue;
    for (const key of [seenKey(reference), dirtyKey(reference)]) names.add(keyText(key));
  }
  return names;
}

/** While some are translated and committed, what the next ones need is read. */
async function workOff(context: Context, ledger: Ledger, stepper: Stepper, marks: readonly Entry[]): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(marks.length / foreseenMarks) }, (_, index) =>
    marks.slice(index * foreseenMarks, (index + 1) * foreseenMarks),
  );
  const ahead = (chunk: readonly Entry[] | undefined) => {
    const references = chunk?.flatMap(({ key }) => parseReferenceKey(key.sort) ?? []) ?? [];
    const reading = foresee(context, ledger.readings, references);
    // It is awaited in a moment; until then its fault is nobody's.
    reading.catch(() => undefined);
    return reading;
  };
  let reading = ahead(chunks[0]);
  try {
    for (const [index, chunk] of chunks.entries()) {
      await reading;
      reading = ahead(chunks[index + 1]);
      for (const mark of chunk) await stepper.marked(mark);
    }
  } finally {
    // Nothing is left behind under way.
    await reading.catch(() => undefined);
  }
}

/**
 * Slices that were marked where this turn has been already. One that came before a route that stands further on is to
 * be known when that route's turn comes: it would go to the nodes without members.
 */
async function slicesBefore(context: Context, place: string): Promise<Entry[]> {
  const slices: Entry[] = [];
  for (let after = slicesStart; ; ) {
    const page = await context.store.list(dirtyPartition, after, listedMarks);
    slices.push(...page.entries.filter(({ key }) => key.sort.startsWith(slicesStart) && key.sort < place));
    const last = page.entries.at(-1)?.key.sort ?? place;
    if (page.next === undefined || last >= place || slices.length >= objectsPerTurn) return slices;
    after = page.next;
  }
}

/** What is urgent, then one mark of each namespace after another: none waits behind another one's burst. */
function rotated(marks: readonly Entry[]): Entry[] {
  const urgent = marks.filter((mark) => readMark(mark).urgent);
  return [...urgent, ...alternating(marks.filter((mark) => !urgent.includes(mark)))];
}

function alternating(marks: readonly Entry[]): Entry[] {
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
