/** Gateway API's RequestRedirect. */
import * as v from "valibot";
import { portNumber } from "../port-number.ts";
import { hostname } from "./hostname.ts";
import { pathChangeSchema } from "./path-change.ts";

export const requestRedirectSchema = v.object({
  type: v.literal("RequestRedirect"),
  requestRedirect: v.pipe(
    v.object({
      /** Absent: the request's. */
      scheme: v.optional(v.picklist(["http", "https"], "must be http or https")),
      hostname: v.optional(hostname),
      /** Absent: the Location has none, unless the node's https is found at another than 443. */
      port: v.optional(portNumber),
      path: v.optional(pathChangeSchema),
      /** Absent: 302. */
      statusCode: v.optional(v.picklist([301, 302, 303, 307, 308], "must be one of 301, 302, 303, 307, 308")),
    }),
    v.check(
      ({ scheme, hostname, port, path }) => [scheme, hostname, port, path].some((part) => part !== undefined),
      "scheme, hostname, port or path must be there",
    ),
  ),
});
