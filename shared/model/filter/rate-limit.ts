/** How many requests in how long: for each client address, for each value of a header, or in all. */
import * as v from "valibot";
import { duration, parseDuration } from "../duration.ts";
import { headerName } from "./header.ts";

const count = v.pipe(
  v.number(),
  v.integer("must be a whole number"),
  v.minValue(1, "must be at least 1"),
  v.maxValue(1_000_000, "must be at most 1000000"),
);

export const rateLimitSchema = v.object({
  type: v.literal("RateLimit"),
  rateLimit: v.object({
    requests: count,
    /** Absent: a second. */
    period: v.optional(
      v.pipe(
        duration(3_600),
        v.check((text) => parseDuration(text) !== 0, "must be longer than 0"),
      ),
    ),
    /** How many may come at once; absent: as many as `requests`. */
    burst: v.optional(count),
    /** Absent: by the client's address. */
    key: v.optional(
      v.variant("type", [
        v.object({ type: v.picklist(["ClientAddress", "All"]) }),
        v.object({ type: v.literal("Header"), name: headerName }),
      ]),
    ),
  }),
});
