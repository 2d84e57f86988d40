/** One revision of a balancer: which keys of which object changed or went. The values are with the object's want. */
import * as v from "valibot";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

/** This many revisions are kept; a node further behind gets a snapshot. */
export const keptRevisions = 10_000;

const schema = v.object({
  /** Of each object, by its referenceKey: the keys of its resources that changed or went; null: too many to name. */
  changed: v.nullable(v.record(v.string(), v.array(v.string()))),
});

export type LogEntry = v.InferOutput<typeof schema>;

export function readLogEntry(entry: Entry): LogEntry {
  return readRecord(schema, entry);
}
