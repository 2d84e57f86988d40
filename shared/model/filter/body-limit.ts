/** How many bytes a request's body may have. */
import * as v from "valibot";

export const bodyLimitSchema = v.object({
  type: v.literal("BodyLimit"),
  bodyLimit: v.object({ maxBytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 40)) }),
});
