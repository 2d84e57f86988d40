/** Gateway API's RequestMirror: a copy to another pool, whose answer nobody waits for. */
import * as v from "valibot";

export const requestMirrorSchema = v.object({
  type: v.literal("RequestMirror"),
  requestMirror: v.object({
    pool: v.pipe(v.string(), v.startsWith("Pool/")),
    /** Absent: all. */
    percent: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100))),
  }),
});
