/** Gateway API's `retry` and `timeouts` of a rule. */
import * as v from "valibot";
import { duration } from "./duration.ts";

/** What nginx can try again. */
const retriedCodes = [500, 502, 503, 504] as const;

/** nginx goes to another location ten times at most. */
const maxAttempts = 5;
const maxBackoffSeconds = 10;
const maxTimeoutSeconds = 86_400;

export const retrySchema = v.object({
  /** Tries after the first; absent: 1. */
  attempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxAttempts))),
  /** Failed connections and timeouts are tried again in any case. */
  codes: v.optional(v.pipe(v.array(v.picklist(retriedCodes)), v.maxLength(retriedCodes.length))),
  backoff: v.optional(duration(maxBackoffSeconds)),
});

export const timeoutsSchema = v.object({
  /** From the request's head to the end of its answer; `0s`: none. */
  request: v.optional(duration(maxTimeoutSeconds)),
  /** For each try: to connect, and between two reads or writes. */
  backendRequest: v.optional(duration(maxTimeoutSeconds)),
});

export type Retry = v.InferOutput<typeof retrySchema>;
export type Timeouts = v.InferOutput<typeof timeoutsSchema>;
