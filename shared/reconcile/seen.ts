/** What is known of an object, and whether an observation is news. */
import { contentHash } from "../model/canonical.ts";
import type { Observation } from "../model/observation.ts";
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
}

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
  observation: Exclude<Observation, { type: "hint" }>,
  era: number,
): News {
  if (observation.type === "buried") {
    // A burial that overtook the birth: the uid is remembered, before all positions, so that it never comes to life.
    const position: Position = { ...(known?.position ?? { era, resourceVersion: "0" }), step: 2 };
    const record: SeenRecord = { position, uid: observation.uid, hash: "", gone: true };
    if (known === undefined) {
      // Of a Secret that nobody has seen nothing is kept: most of them are none of ours.
      const isOurs = observation.reference.kind !== "Secret";
      return isOurs ? { type: "record", record, changed: false } : { type: "unknown" };
    }
    return known.uid === observation.uid && !known.gone
      ? { type: "record", record, changed: true }
      : { type: "unknown" };
  }
  const record = toRecord(known, observation, era);
  if (known === undefined) return { type: "record", record, changed: !record.gone };
  if (known.uid === record.uid && (known.gone || record.gone)) return endOf(known, record);
  const order = comparePositions(record.position, known.position) || compareAtSamePosition(record, known);
  if (order <= 0) return { type: "old" };
  return { type: "record", record, changed: record.gone !== known.gone || record.hash !== known.hash };
}

/**
 * The end of a uid is a fact whatever its position: it wins over what was seen of the uid at any time. The tombstone
 * stands at the last position that was seen of it, so that all orders of the same observations end alike.
 */
function endOf(known: SeenRecord, record: SeenRecord): News {
  const isLater = comparePositions(record.position, known.position) > 0;
  if (known.gone && !isLater) return { type: "old" };
  const position = isLater ? record.position : known.position;
  return { type: "record", record: { position, uid: known.uid, hash: "", gone: true }, changed: !known.gone };
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
