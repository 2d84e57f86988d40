/** What is known of an object, and whether an observation is news. */
import { contentHash } from "../model/canonical.ts";
import type { Absence, Observation, SeenReference } from "../model/observation.ts";
import { comparePositions, type Position } from "../model/position.ts";
import { sealKeyOf } from "../model/sealed.ts";
import type { SeenObject } from "../model/seen/object.ts";
import type { Entry } from "../store/port.ts";
import { readRecord, written } from "./record.ts";

export interface SeenRecord {
  readonly position: Position;
  readonly uid: string;
  /** Hash of the content: of the object, of the reason why it is unusable, or empty for a tombstone. */
  readonly hash: string;
  readonly gone: boolean;
  readonly object?: SeenObject;
  /** Why the newest version cannot be used; `object` is then the last usable one, if there was any. */
  readonly unusable?: string;
  /** Other uids of this name whose end is known, and not when it was: what comes late of them is told by nothing else. */
  readonly ended?: readonly string[];
  /** A LIST brought it, and nothing has told of it yet: what tells of it is late, or lost. */
  readonly listed?: true;
}

/** A record as one commit has written it. */
export interface Recorded {
  readonly reference: SeenReference;
  readonly entry: Entry;
}

/** Each took a burial and a birth that came in the wrong order; the oldest are forgotten. */
const maxEnded = 8;

const schema = written<SeenRecord>("position", "uid", "hash", "gone");

export function readSeen(entry: Entry | undefined): SeenRecord | undefined {
  return entry === undefined ? undefined : readRecord(schema, entry);
}

/**
 * Empty for what is gone or was never seen. Of a Secret it also tells the key that seals it: whoever has copies of what
 * was sealed is translated again when that is another one.
 */
export function seenHash(record: SeenRecord | undefined): string {
  if (record === undefined || record.gone) return "";
  const secret = record.object?.kind === "Secret" ? record.object : undefined;
  const sealed = secret?.certificate?.key ?? secret?.users?.[0]?.hash;
  return sealed === undefined ? record.hash : `${record.hash} ${sealKeyOf(sealed)}`;
}

export type News =
  /** Older than what is known, or the same. */
  | { readonly type: "old" }
  /** Nothing to record: it ends another object than the one that is known. */
  | { readonly type: "unknown" }
  /** `changed` false: only the position moves, nobody has to translate anything. */
  | { readonly type: "record"; readonly record: SeenRecord; readonly changed: boolean };

/**
 * Decides what an observation means for what is known. Positions decide; at equal positions deleted wins, then the
 * larger content hash, so that any order of the same observations ends in the same record. A uid once deleted never
 * returns, not even at a later position.
 */
export function news(
  known: SeenRecord | undefined,
  observation: Exclude<Observation, { type: "hint" }> | Absence,
  era: number,
): News {
  // Told by the cluster as it was before it went back to a backup.
  if (known !== undefined && era < known.position.era) return { type: "old" };
  if (observation.type === "absent") return absence(known, { era, ...observation.position });
  if (known?.ended?.includes(observation.uid) === true && known.position.era === era) return { type: "old" };
  if (observation.type === "buried") {
    // Of a Secret that nobody has seen nothing is kept: most of them are none of ours.
    if (known === undefined && observation.reference.kind === "Secret") return { type: "unknown" };
    return burial(known, observation.uid, era);
  }
  const record = toRecord(known, observation, era);
  // The cluster went back to a backup: what ended since then lives again.
  if (known !== undefined && known.position.era < era) {
    return { type: "record", record, changed: record.gone !== known.gone || record.hash !== known.hash };
  }
  if (known === undefined) return { type: "record", record, changed: !record.gone };
  if (known.uid === record.uid && (known.gone || record.gone)) return endOf(known, record);
  const order = comparePositions(record.position, known.position) || compareAtSamePosition(record, known);
  if (order <= 0) return { type: "old" };
  // A burial stands before all positions: what replaces it may be older as well as newer.
  const ended = known.gone && isUnplaced(known.position) ? withEnded(known, known.uid) : known.ended;
  return {
    type: "record",
    record: ended === undefined ? record : { ...record, ended },
    changed: record.gone !== known.gone || record.hash !== known.hash,
  };
}

/** A burial tells who ended, and not when; it may overtake the birth. The uid is remembered, so that it never lives again. */
function burial(known: SeenRecord | undefined, uid: string, era: number): News {
  if (known === undefined) {
    const position: Position = { era, resourceVersion: "0", step: 2 };
    return { type: "record", record: { position, uid, hash: "", gone: true }, changed: false };
  }
  if (known.uid !== uid) return { type: "record", record: { ...known, ended: withEnded(known, uid) }, changed: false };
  if (known.gone) return { type: "unknown" };
  const { position, ended } = known;
  const record = {
    position: { ...position, step: 2 },
    uid,
    hash: "",
    gone: true,
    ...(ended ? { ended } : {}),
  } as const;
  return { type: "record", record, changed: true };
}

/** Nothing is known of who is not there, so only what is known can end. */
function absence(known: SeenRecord | undefined, position: Position): News {
  if (known === undefined) return { type: "unknown" };
  if (known.gone || comparePositions(position, known.position) <= 0) return { type: "old" };
  return { type: "record", record: { position, uid: known.uid, hash: "", gone: true }, changed: true };
}

/** Whether it is known, and when it was: of a burial alone nothing tells that, so it says nothing of who comes after it. */
export function isPlaced(record: SeenRecord | undefined): boolean {
  return record !== undefined && !isUnplaced(record.position);
}

function isUnplaced({ resourceVersion }: Position): boolean {
  return resourceVersion === "0";
}

function withEnded({ ended = [] }: SeenRecord, uid: string): readonly string[] {
  return [...ended.filter((each) => each !== uid), uid].slice(-maxEnded);
}

/**
 * The end of a uid is a fact whatever its position: it wins over what was seen of the uid at any time. The tombstone
 * stands at the last position that was seen of it, so that all orders of the same observations end alike.
 */
function endOf(known: SeenRecord, record: SeenRecord): News {
  const isLater = comparePositions(record.position, known.position) > 0;
  if (known.gone && !isLater) return { type: "old" };
  const position = isLater ? record.position : known.position;
  const { uid, ended } = known;
  const tombstone = { position, uid, hash: "", gone: true, ...(ended ? { ended } : {}) };
  return { type: "record", record: tombstone, changed: !known.gone };
}

function toRecord(
  known: SeenRecord | undefined,
  observation: Exclude<Observation, { type: "hint" | "buried" }>,
  era: number,
): SeenRecord {
  const identity = { position: { era, ...observation.position }, uid: observation.uid };
  switch (observation.type) {
    case "object":
      return { ...identity, hash: contentHash(observation.object), gone: false, object: observation.object };
    case "gone":
      return { ...identity, hash: "", gone: true };
    case "unusable": {
      const last = known?.uid === observation.uid ? known.object : undefined;
      const record = {
        ...identity,
        hash: contentHash([observation.reason]),
        gone: false,
        unusable: observation.reason,
      };
      return last === undefined ? record : { ...record, object: last };
    }
  }
}

function compareAtSamePosition(a: SeenRecord, b: SeenRecord): number {
  if (a.gone !== b.gone) return a.gone ? 1 : -1;
  return a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0;
}
