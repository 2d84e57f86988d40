/** Observations become durable: what was seen, a mark for it, and where it is free the lock, in one commit. */
import { EntranceError } from "../model/error.ts";
import type { Absence, Observation, SeenReference } from "../model/observation.ts";
import { describeReference, referenceKey, seenKinds } from "../model/reference.ts";
import type { SeenEndpointSlice } from "../model/seen/endpoint-slice.ts";
import { utf8Length } from "../model/utf8.ts";
import { type Check, type Key, keyText, maxCommitKeys, type Version, type Write } from "../store/port.ts";
import { type Floor, isDoubtful, isPast } from "./floor.ts";
import { leaveHints } from "./hint.ts";
import { dirtyKey, laterKey, lockKey, seenKey } from "./keys.ts";
import { type Known, readFor } from "./known.ts";
import { acquisition, type HeldLock, readLock, refuseClosed, tryAcquire } from "./lock.ts";
import { markText } from "./mark.ts";
import { withoutStrangers } from "./secrets.ts";
import { isPlaced, news, type Recorded, readSeen, type SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";

/** Seen, mark and postponed mark of each object, the lock, and the floor of each kind fit into one commit. */
const objectsPerCommit = Math.floor((maxCommitKeys - 1 - seenKinds.length) / 3);
/** And into its bytes, with room for uids and positions. */
const bytesPerCommit = 900_000;
/** An object that cannot be used is kept with its last usable shape, which may be as large as an object is at most. */
const bytesOfUnusable = 320_000;
const maxAttempts = 10;
/** Of one list: a store across a network takes several commits in the time of one. */
const commitsAtOnce = 4;
export interface Triggered {
  /** Taken in the same commit: the caller runs the turn after it has answered. */
  readonly lock: HeldLock | undefined;
  /** By that same commit. */
  readonly recorded: readonly Recorded[];
  readonly counts: Readonly<Record<"changed" | "moved" | "old" | "unknown" | "hint", number>>;
  /** To be read back: what was told of them is not enough to know what they are. */
  readonly hints: readonly SeenReference[];
}

type Told = Exclude<Observation, { type: "hint" }> | Absence;

/** What was read from the API itself, in this era: it is so, whatever is known of how far back the past is known. */
export interface Reading {
  readonly era: number;
  /** What it was read as of. */
  readonly resourceVersion: string;
  /** Whether it may begin a turn; of a long list only the end may. */
  readonly takesLock: boolean;
  /** By a LIST that was not the first: what it changes should have been told. */
  readonly isAgain: boolean;
  /** Of the one object that was read; whatever has changed since makes another attempt. */
  readonly known?: Known;
  readonly link?: Link;
}

/**
 * A record that each commit of a work checks and writes, so that all of them are there or none that comes after: a store
 * that goes back in the middle keeps no part of it that looks like the whole.
 */
export interface Link {
  readonly key: Key;
  readonly value: string;
  /** As the last of these commits has left it. */
  version: Version;
}

interface Subject {
  readonly reference: SeenReference;
  readonly observations: Told[];
}

type Counts = Record<keyof Triggered["counts"], number>;

/**
 * Records what is news and marks what changed. When this returns, everything is durable. Throws `busy` when others
 * write the same objects all the time or the store is closed, and what the store throws; all of it may be sent again
 * without harm.
 * `reading`: it was not told by webhooks, but read.
 */
export async function trigger(
  context: Context,
  observations: readonly (Observation | Absence)[],
  reading?: Reading,
): Promise<Triggered> {
  const counts = { changed: 0, moved: 0, old: 0, unknown: 0, hint: 0 };
  const subjects = new Map<string, Subject>();
  const hints = new Map<string, SeenReference>();
  for (const observation of observations) {
    if (observation.type === "hint") {
      counts.hint += 1;
      hints.set(referenceKey(observation.reference), observation.reference);
      continue;
    }
    const key = referenceKey(observation.reference);
    const subject = subjects.get(key) ?? { reference: observation.reference, observations: [] };
    subject.observations.push(observation);
    subjects.set(key, subject);
  }
  const recordGroup = (group: readonly Subject[], withLock: boolean) =>
    record(context, group, withLock, counts, hints, reading);
  // A route that is recorded after the members of its pool is not translated without them.
  const all = [...subjects.values()];
  const slices = grouped(all.filter(({ reference }) => reference.kind === "EndpointSlice"));
  const others = grouped(all.filter(({ reference }) => reference.kind !== "EndpointSlice"));
  const last = others.pop() ?? slices.pop();
  const atOnce = reading?.link === undefined ? commitsAtOnce : 1;
  for (const groups of [slices, others]) await sideBySide(atOnce, groups, (group) => recordGroup(group, false));
  const begun = last === undefined ? undefined : await recordGroup(last, reading?.takesLock !== false);
  let lock = begun?.lock;
  const wanted = context.kubernetes === undefined ? [] : await withoutStrangers(context, [...hints.values()]);
  await leaveHints(context, wanted);
  // The lock read held, or an earlier commit left marks: the holder's last look may have come before them.
  if (lock === undefined && counts.changed > 0 && reading?.takesLock !== false) lock = await tryAcquire(context);
  for (const [outcome, count] of Object.entries(counts)) {
    if (count > 0) context.counters.add("entrance_observations_total", { outcome }, count);
  }
  return { lock, recorded: begun?.recorded ?? [], counts, hints: wanted };
}

/** With a fault no further one is begun, and it is thrown once nothing is under way any more. */
async function sideBySide<T>(atOnce: number, items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const workers = Array.from({ length: atOnce }, async () => {
    try {
      for (let item = items.shift(); item !== undefined; item = items.shift()) await work(item);
    } finally {
      items.length = 0;
    }
  });
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}

function grouped(subjects: readonly Subject[]): Subject[][] {
  const groups: Subject[][] = [];
  let room = 0;
  for (const subject of subjects) {
    const isUsable = subject.observations.every(({ type }) => type !== "unusable");
    const bytes = isUsable ? utf8Length(JSON.stringify(subject.observations)) : bytesOfUnusable;
    const group = groups.at(-1);
    if (group === undefined || group.length === objectsPerCommit || bytes > room) {
      groups.push([subject]);
      room = bytesPerCommit - bytes;
    } else {
      group.push(subject);
      room -= bytes;
    }
  }
  return groups;
}

async function record(
  context: Context,
  subjects: readonly Subject[],
  withLock: boolean,
  counts: Counts,
  hints: Map<string, SeenReference>,
  reading: Reading | undefined,
): Promise<{ readonly lock: HeldLock; readonly recorded: readonly Recorded[] } | undefined> {
  let acquire = withLock;
  const references = subjects.map(({ reference }) => reference);
  let read: Awaited<ReturnType<typeof readFor>> | undefined;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    read ??= await readFor(context, references, acquire, attempt === 0 ? reading?.known : undefined);
    const [lockEntry, floors, ...entries] = read;
    if (acquire) refuseClosed(readLock(lockEntry));
    const checks: Check[] = [];
    const writes: Write[] = [];
    const found = { changed: 0, moved: 0, old: 0, unknown: 0, hint: 0 };
    const doubtful: SeenReference[] = [];
    const floorChecks = new Map<string, Check>();
    const recorded: { reference: SeenReference; key: Key; value: string }[] = [];
    subjects.forEach((subject, index) => {
      const entry = entries[index];
      const floor = floors.get(subject.reference.kind);
      const known = readSeen(entry?.seen);
      const outcome = fold(subject, known, found, floor?.floor, reading, context.now());
      if (outcome === "doubtful") doubtful.push(subject.reference);
      if (outcome === undefined || outcome === "doubtful") return;
      // It is not below a floor that is raised in this very moment.
      if (floor !== undefined && !isPlaced(known)) floorChecks.set(floor.check.key.sort, floor.check);
      const key = seenKey(subject.reference);
      checks.push({ key, version: entry?.seen?.version ?? null });
      const value = JSON.stringify(outcome.record);
      writes.push({ key, value });
      recorded.push({ reference: subject.reference, key, value });
      if (!outcome.changed) return;
      writes.push({ key: dirtyKey(subject.reference), value: markText(context.now(), entry?.mark, outcome.isUrgent) });
      writes.push({ key: laterKey(subject.reference), value: null });
    });
    const taken = acquire && found.changed > 0 ? acquisition(context, lockEntry) : undefined;
    if (taken !== undefined) {
      checks.push(taken.check);
      writes.push(taken.write);
    }
    checks.push(...floorChecks.values());
    for (const reference of doubtful) hints.set(referenceKey(reference), reference);
    if (writes.length > 0) {
      const link = reading?.link;
      if (link !== undefined) {
        checks.push({ key: link.key, version: link.version });
        writes.push({ key: link.key, value: link.value });
      }
      const result = await context.store.commit(checks, writes);
      if (!result.ok) {
        context.counters.add("entrance_conflicts_total", { at: "trigger" });
        if (link !== undefined && result.conflicts.some((key) => keyText(key) === keyText(link.key))) throw linkLost();
        // Of what else was read nothing has changed.
        if (result.conflicts.every((key) => key.partition === lockKey.partition)) acquire = false;
        else read = undefined;
        continue;
      }
      if (link !== undefined) link.version = result.version;
      for (const outcome of outcomes) counts[outcome] += found[outcome];
      if (taken !== undefined) context.counters.add("entrance_fences_total");
      if (taken === undefined) return undefined;
      const { version } = result;
      return {
        lock: { fence: taken.fence, version, writtenAt: context.now() },
        recorded: recorded.map(({ reference, key, value }) => ({ reference, entry: { key, value, version } })),
      };
    }
    for (const outcome of outcomes) counts[outcome] += found[outcome];
    return undefined;
  }
  const [first] = subjects;
  const name = first === undefined ? "an object" : describeReference(first.reference);
  throw new EntranceError("busy", `others write ${name} all the time: try again`, { retryAfterSeconds: 1 });
}

function linkLost(): EntranceError {
  return new EntranceError("busy", "somebody has begun it anew, or the store was restored", { retryAfterSeconds: 1 });
}

const outcomes = ["changed", "moved", "old", "unknown", "hint"] as const;

/** All observations of one object, one after another, as one step; doubtful: it is to be read back instead. */
function fold(
  subject: Subject,
  known: SeenRecord | undefined,
  found: Counts,
  floor: Floor | undefined,
  reading: Reading | undefined,
  now: number,
): { record: SeenRecord; changed: boolean; isUrgent: boolean } | "doubtful" | undefined {
  let record = known;
  let touched = false;
  for (const observation of subject.observations) {
    const isKnown = isPlaced(record);
    if (
      floor !== undefined &&
      (reading ? isPast(floor, reading, isKnown) : isDoubtful(floor, observation, isKnown, now))
    ) {
      found.hint += 1;
      return "doubtful";
    }
    const outcome = news(record, observation, (reading ?? floor)?.era ?? 0);
    if (outcome.type === "record") {
      // What changes nothing that is read, our own status say, tells nothing of what a LIST found.
      const staysListed = record?.listed === true && !differ(record, outcome.record);
      record = staysListed ? { ...outcome.record, listed: true } : outcome.record;
      touched = true;
    } else {
      found[outcome.type] += 1;
      // It was not lost: a LIST had come before it.
      if (reading === undefined && record?.listed === true) {
        const { listed: _, ...told } = record;
        record = told;
        touched = true;
      }
    }
  }
  if (!touched || record === undefined) return undefined;
  const changed = known === undefined ? !record.gone : differ(record, known);
  found[changed ? "changed" : "moved"] += 1;
  // Where nothing was told before, nothing that tells can have been lost.
  const isUrgent = changed && loses(known, record);
  const listed = reading?.isAgain === true && changed ? { listed: true as const } : {};
  return { record: { ...record, ...listed }, changed, isUrgent };
}

function differ(one: SeenRecord, other: SeenRecord): boolean {
  return one.gone !== other.gone || one.hash !== other.hash;
}

/** Fewer endpoints serve than before. */
function loses(known: SeenRecord | undefined, record: SeenRecord): boolean {
  if (known?.object?.kind !== "EndpointSlice") return false;
  const serving = new Set(record.object?.kind === "EndpointSlice" ? servingIn(record.object) : []);
  return servingIn(known.object).some((address) => !serving.has(address));
}

function servingIn({ endpoints }: SeenEndpointSlice): string[] {
  return endpoints.flatMap(({ address, ready, terminating }) => (ready && !terminating ? [address] : []));
}
