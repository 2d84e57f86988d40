/** Gateway API's RequestRedirect, without `scheme` until nodes speak https. */
import * as v from "valibot";
import { portNumber } from "../port-number.ts";
import { hostname } from "./hostname.ts";
import { pathChangeSchema } from "./path-change.ts";

export const requestRedirectSchema = v.object({
  type: v.literal("RequestRedirect"),
  requestRedirect: v.pipe(
    v.object({
      hostname: v.optional(hostname),
      /** Absent: the Location has no port. */
      port: v.optional(portNumber),
      path: v.optional(pathChangeSchema),
      /** Absent: 302. */
      statusCode: v.optional(v.picklist([301, 302, 303, 307, 308], "must be one of 301, 302, 303, 307, 308")),
    }),
    v.check(
      (it) => it.hostname !== undefined || it.path !== undefined || it.port !== undefined,
      "hostname, port or path must be there",
    ),
  ),
});
