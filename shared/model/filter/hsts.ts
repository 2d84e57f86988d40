/** Tells browsers to come by https only; said over https alone (RFC 6797, 7.2). */
import * as v from "valibot";

export const hstsSchema = v.object({
  type: v.literal("Hsts"),
  hsts: v.object({
    /** Seconds. */
    maxAge: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(315_360_000, "must be at most 10 years")),
    includeSubDomains: v.optional(v.boolean()),
    preload: v.optional(v.boolean()),
  }),
});
