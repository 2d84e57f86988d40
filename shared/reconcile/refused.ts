/** What is refused, for the status: one record for each object that has reasons. */
import * as v from "valibot";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

const schema = v.object({
  reasons: v.array(v.string()),
  /** Ms since 1970. */
  since: v.number(),
  /** Ms since 1970: when a fault of ours is tried again. */
  retryAt: v.optional(v.number()),
});

export type Refused = v.InferOutput<typeof schema>;

export function readRefused(entry: Entry): Refused {
  return readRecord(schema, entry);
}

export function refusedText(reasons: readonly string[], since: number, retryAt: number | undefined): string {
  const refused: Refused = { reasons: [...reasons], since, ...(retryAt === undefined ? {} : { retryAt }) };
  return JSON.stringify(refused);
}
