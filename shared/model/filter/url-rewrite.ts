/** Gateway API's URLRewrite: the Host and the path that a backend hears. */
import * as v from "valibot";
import { hostname } from "./hostname.ts";
import { pathChangeSchema } from "./path-change.ts";

export const urlRewriteSchema = v.object({
  type: v.literal("URLRewrite"),
  urlRewrite: v.pipe(
    v.object({ hostname: v.optional(hostname), path: v.optional(pathChangeSchema) }),
    v.check((it) => it.hostname !== undefined || it.path !== undefined, "hostname or path must be there"),
  ),
});
