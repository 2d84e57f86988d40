/** How a node speaks TLS to the members of a pool. */
import * as v from "valibot";
import { hostname } from "./filter/hostname.ts";

/** About thirty authorities. */
export const maxCaLength = 65_536;
const caMessage = `must be PEM certificates of at most ${maxCaLength} characters`;

export const backendTlsSchema = v.object({
  /** Whether a member must prove by its certificate that it is `name`. */
  verify: v.boolean("must be true or false"),
  /** Sent as SNI, and what the certificate must be good for; absent: the Host of the request. */
  name: v.optional(hostname),
  /** Who may have signed; absent: the authorities that the node's system trusts. */
  ca: v.optional(
    v.pipe(
      v.string(caMessage),
      v.maxLength(maxCaLength, caMessage),
      v.regex(/^-----BEGIN CERTIFICATE-----\r?\n/, caMessage),
    ),
  ),
});

export type BackendTls = v.InferOutput<typeof backendTlsSchema>;
