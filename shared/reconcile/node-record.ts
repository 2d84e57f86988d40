/** What went wrong with a node, for copies that did not push to it, and for the status. Gone when all is well. */
import * as v from "valibot";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

const schema = v.object({
  error: v.string(),
  at: v.number(),
  /** Another store, whose node it is. */
  store: v.optional(v.string()),
});

export type NodeRecord = v.InferOutput<typeof schema>;

export function readNodeRecord(entry: Entry): NodeRecord {
  return readRecord(schema, entry);
}

/** `at` in ms since 1970. */
export function nodeRecordText(error: string, at: number, store: string | undefined): string {
  const record: NodeRecord = { error, at, ...(store === undefined ? {} : { store }) };
  return JSON.stringify(record);
}
