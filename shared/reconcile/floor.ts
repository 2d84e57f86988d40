/** How far back the past of a kind is known: what a LIST did not have, and what is not newer than it, is gone. */
import * as v from "valibot";
import type { Absence, Observation } from "../model/observation.ts";
import { comparePositions } from "../model/position.ts";
import type { SeenKind } from "../model/reference.ts";
import type { Entry, Store } from "../store/port.ts";
import { floorKey } from "./keys.ts";
import { readRecord } from "./record.ts";

const schema = v.object({
  /** Goes up when the cluster went back to a backup. */
  era: v.number(),
  /** Of the last whole LIST. */
  resourceVersion: v.string(),
  /** Ms since 1970: until then what is told may be of the cluster as it was before it went back. */
  doubtUntil: v.optional(v.number()),
});

export type Floor = v.InferOutput<typeof schema>;

const firstFloor: Floor = { era: 0, resourceVersion: "0" };

export async function readFloor(store: Pick<Store, "get">, kind: SeenKind): Promise<Floor> {
  return floorIn(await store.get(floorKey(kind)));
}

export function floorIn(entry: Entry | undefined): Floor {
  return entry === undefined ? firstFloor : readRecord(schema, entry);
}

/** Whether a LIST has come since this was read, and did not have what is not known. */
export function isPast(
  floor: Floor,
  read: { readonly era: number; readonly resourceVersion: string },
  isKnown: boolean,
): boolean {
  if (isKnown) return false;
  const step = 0 as const;
  const { era, resourceVersion } = floor;
  return (
    comparePositions({ era: read.era, resourceVersion: read.resourceVersion, step }, { era, resourceVersion, step }) < 0
  );
}

/** Whether what was told is worth no more than a hint to read the object back. */
export function isDoubtful(
  floor: Floor,
  observation: Exclude<Observation, { type: "hint" }> | Absence,
  isKnown: boolean,
  now: number,
): boolean {
  if (floor.doubtUntil !== undefined && now < floor.doubtUntil) return true;
  if (isKnown || !("position" in observation)) return false;
  const { era, resourceVersion } = floor;
  const last = { era, resourceVersion, step: 2 } as const;
  return resourceVersion !== "0" && comparePositions({ era, ...observation.position }, last) <= 0;
}
