/** A turn: whoever took the lock works off the marks, frees it, and looks once more. */
import { EntranceError } from "../model/error.ts";
import { parseReferenceKey, type Reference } from "../model/reference.ts";
import { type Check, type Entry, keyText, type Page } from "../store/port.ts";
import { foresee, foreseeRecorded } from "./foresee.ts";
import { dirtyKey, dirtyPartition, seenKey } from "./keys.ts";
import { Ledger, LockLost, type OnCommitted, type OnReferred } from "./ledger.ts";
import { acquire, type HeldLock } from "./lock.ts";
import { readMark } from "./mark.ts";
import { marksBehind, slicesEnd, slicesStart } from "./marks-behind.ts";
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

/**
 * Runs turns until no mark is due or somebody else holds the lock. Never throws: what could not be done is still marked,
 * and a wake-up is asked for. `recorded`: by the commit that took the lock.
 */
export async function runTurns(
  context: Context,
  acquired: HeldLock,
  onCommitted: OnCommitted,
  onReferred: OnReferred = () => undefined,
  recorded: readonly Recorded[] = [],
): Promise<void> {
  const ledgerWith = (lock?: HeldLock) => new Ledger(context, lock, onCommitted, onReferred);
  let turn: Turn | undefined = turnOf(context, ledgerWith(acquired), { recorded });
  while (turn !== undefined) {
    context.counters.add("entrance_turns_total");
    const { ledger }: Turn = turn;
    try {
      await runTurn(context, turn);
      if (isOutOfTime(context)) {
        context.host.wakeAt(context.now());
        return;
      }
      turn = await lookAgain(context, ledger.freed, ledgerWith());
    } catch (error) {
      if (error instanceof LockLost) {
        context.counters.add("entrance_locks_lost_total");
        return;
      }
      context.warn(`a turn ended early: ${error instanceof Error ? error.message : String(error)}`);
      context.host.wakeAt(context.now() + afterFaultMs);
      if (!(error instanceof EntranceError)) context.counters.add("entrance_turn_faults_total");
      await ledger.free().catch(() => undefined);
      return;
    }
  }
}

interface Turn {
  readonly ledger: Ledger;
  readonly begun: Promise<Begun>;
}

/** What a turn knows before it translates anything. */
interface Begun {
  readonly marks: Page;
  readonly rules: Check;
  /** Of what was read already, this is to be read again; undefined: whatever observers write. */
  readonly stale: ReadonlySet<string> | undefined;
}

/** By the commit that took the lock, or listed since this copy has freed it. */
type Known = { readonly recorded: readonly Recorded[] } | { readonly marks: Page };

function turnOf(context: Context, ledger: Ledger, known: Known): Turn {
  const begun = begin(context, ledger, known);
  // It is awaited in a moment; until then its fault is nobody's.
  begun.catch(() => undefined);
  return { ledger, begun };
}

/** What the turn will need, as far as that is known before it has listed its marks: all of it is one wait. */
async function begin(context: Context, ledger: Ledger, known: Known): Promise<Begun> {
  const { readings } = ledger;
  const isListed = "marks" in known;
  const [marks, rules] = await Promise.all([
    isListed ? known.marks : listMarks(context, undefined),
    rulesCheck(context),
    ledger.open(),
    isListed
      ? foresee(context, readings, referencesOf(known.marks.entries.slice(0, foreseenMarks)))
      : foreseeRecorded(context, readings, known.recorded),
  ]);
  if (!isListed) return { marks, rules, stale: markedBeside(known.recorded, marks) };
  return { marks, rules, stale: marks.next === undefined ? new Set() : undefined };
}

function listMarks({ store }: Context, after: string | undefined): Promise<Page> {
  return store.list(dirtyPartition, after, listedMarks);
}

/**
 * A mark that was made while the lock read held has nobody else to find it. What its turn will need is read while the
 * lock is taken again; that holds only from the moment in which this copy has freed it, with nobody in between.
 */
async function lookAgain(context: Context, freed: Entry | undefined, ledger: Ledger): Promise<Turn | undefined> {
  const marks = await listMarks(context, undefined);
  if (marks.entries.length === 0) return undefined;
  const turn = turnOf(context, ledger, { marks });
  // Nothing is left behind under way.
  const lock = await acquire(context, freed).finally(() => turn.begun.catch(() => undefined));
  if (lock === undefined) return undefined;
  ledger.hold(lock);
  return turn;
}

/** The last commit of the turn frees the lock as well. */
async function runTurn(context: Context, { ledger, begun }: Turn): Promise<void> {
  const stepper = new Stepper(context, ledger);
  let after: string | undefined;
  const { marks: first, rules, stale } = await begun;
  ledger.abide(rules);
  let page = first;
  for (let objects = 0; ; ) {
    const behind = await marksBehind(context, page);
    // Listed last of all, so that whatever came before a route is among them.
    const place = behind.some(({ key }) => key.sort > slicesEnd) ? slicesEnd : after;
    const slices = place === undefined ? [] : await slicesBefore(context, place);
    ledger.readings.look(objects === 0 ? stale : undefined);
    const marks = [...slices, ...rotated([...page.entries, ...behind])];
    await workOff(context, ledger, stepper, marks);
    objects += marks.length;
    if (page.next === undefined && !ledger.marks.sets) break;
    await ledger.flush();
    if (objects >= objectsPerTurn || isOutOfTime(context)) break;
    // Go round: what was marked before the place where this turn stands is worked in the next round.
    after = page.next;
    page = await listMarks(context, after);
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

function referencesOf(marks: readonly Entry[]): Reference[] {
  return marks.flatMap(({ key }) => parseReferenceKey(key.sort) ?? []);
}

function isOutOfTime({ host }: Context): boolean {
  return host.isOutOfTime?.() === true;
}

/** While some are translated and committed, what the next ones need is read. */
async function workOff(context: Context, ledger: Ledger, stepper: Stepper, marks: readonly Entry[]): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(marks.length / foreseenMarks) }, (_, index) =>
    marks.slice(index * foreseenMarks, (index + 1) * foreseenMarks),
  );
  const ahead = (chunk: readonly Entry[] | undefined) => {
    const reading = foresee(context, ledger.readings, referencesOf(chunk ?? []));
    // It is awaited in a moment; until then its fault is nobody's.
    reading.catch(() => undefined);
    return reading;
  };
  let reading = ahead(chunks[0]);
  try {
    for (const [index, chunk] of chunks.entries()) {
      await reading;
      reading = ahead(chunks[index + 1]);
      for (const mark of chunk) {
        // The marks of those that are left stand.
        if (isOutOfTime(context)) return;
        await stepper.marked(mark);
      }
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
