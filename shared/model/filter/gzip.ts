/** Text in answers is compressed for who accepts it. */
import * as v from "valibot";

export const gzipSchema = v.object({ type: v.literal("Gzip"), gzip: v.object({}) });
