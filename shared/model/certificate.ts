/** A chain, its key, and the names that it is good for. */
import * as v from "valibot";
import { SecretText } from "./secret-text.ts";

/** A chain of ten 4096-bit certificates is about 20 KB; more than this is a mistake. */
const maxPemLength = 262_144;
const pem = (label: RegExp, message: string) => v.pipe(v.string(), v.maxLength(maxPemLength), v.regex(label, message));

export const certificateSchema = v.object({
  chain: pem(/^-----BEGIN CERTIFICATE-----/, "must be a PEM certificate chain"),
  key: v.pipe(
    pem(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, "must be a PEM private key"),
    v.transform((text) => new SecretText(text)),
  ),
  names: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(253))), v.maxLength(1_000)),
  /** RFC 3339, UTC. */
  notAfter: v.pipe(v.string(), v.isoTimestamp()),
});
