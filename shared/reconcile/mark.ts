/** A mark says that an object is to be translated. Its version in the store is what makes it unique. */
import * as v from "valibot";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

const schema = v.object({
  /** When the oldest change behind it was acknowledged, ms since 1970. */
  first: v.number(),
  /** How often a translation of it ended in a fault of ours. */
  tries: v.number(),
  /** Of a mark in `later/`: when it is due, ms since 1970. */
  due: v.optional(v.number()),
  /** Endpoints went: requests fail for as long as nodes do not know. Done before the others that are listed with it. */
  urgent: v.optional(v.literal(true)),
});

export type Mark = v.InferOutput<typeof schema>;

export function readMark(entry: Entry): Mark {
  return readRecord(schema, entry);
}

/** A new trigger resets the tries; the first time of a mark that still stands is kept. */
export function markText(now: number, standing: Entry | undefined, isUrgent = false): string {
  const known = standing === undefined ? undefined : readMark(standing);
  const urgent = isUrgent || known?.urgent === true;
  const mark: Mark = { first: known?.first ?? now, tries: 0, ...(urgent ? { urgent } : {}) };
  return JSON.stringify(mark);
}

const retryFirstMs = 1_000;
const retryMaxMs = 300_000;

/** When an object that met a fault of ours is tried again: after 1, 2, 4 … seconds, at most five minutes. */
export function retryAfter(tries: number, now: number): Mark & { readonly due: number } {
  const wait = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(tries, 16));
  return { first: now, tries: tries + 1, due: now + wait };
}
