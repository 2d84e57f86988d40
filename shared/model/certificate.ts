/** A chain, its key, and the names that it is good for. */
import * as v from "valibot";
import { type Sealed, sealedSchema } from "./sealed.ts";
import { SecretText } from "./secret-text.ts";

/** A chain of ten 4096-bit certificates is about 20 KB; more than this is a mistake. */
const maxPemLength = 262_144;
const pem = (label: RegExp, message: string) => v.pipe(v.string(), v.maxLength(maxPemLength), v.regex(label, message));

export const certificateSchema = v.object({
  chain: pem(/^-----BEGIN CERTIFICATE-----/, "must be a PEM certificate chain"),
  /** Sealed wherever Entrance keeps it; a node gets the text. */
  key: v.union(
    [
      sealedSchema,
      v.pipe(
        pem(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, "must be a PEM private key"),
        v.transform((text) => new SecretText(text)),
      ),
    ],
    "must be a PEM private key",
  ),
  names: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(253))), v.maxLength(1_000)),
  /** RFC 3339, UTC. */
  notAfter: v.pipe(v.string(), v.isoTimestamp()),
});

/** As Entrance keeps it; a key that can't be opened any more is empty, which a node rejects with a reason. */
export type KeptCertificate = Omit<v.InferInput<typeof certificateSchema>, "key"> & { readonly key: Sealed | "" };
