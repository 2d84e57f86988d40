/** A secret as it is kept: encrypted, with a print that stands for it wherever two are compared. shared/sealing makes it. */
import * as v from "valibot";

/** A private key of 16 KB, encrypted and in base64. */
const maxSealedLength = 32_768;

export const sealedSchema = v.object({
  /** What it is of, `Secret/NAMESPACE/NAME/FIELD`: nothing that was sealed for one place can be opened in another. */
  of: v.pipe(v.string(), v.maxLength(2_048)),
  /** Keyed, so that it tells nobody anything who has not the key; equal for equal secrets of the same place. */
  print: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  /** KEY.NONCE.CIPHERTEXT, different each time. */
  sealed: v.pipe(v.string(), v.maxLength(maxSealedLength)),
});

export type Sealed = Readonly<v.InferOutput<typeof sealedSchema>>;

export function isSealed(value: object): value is Sealed {
  return "sealed" in value && v.is(sealedSchema, value);
}

/** The id of the key that it was sealed with. */
export function sealKeyOf({ sealed }: Sealed): string {
  return sealed.slice(0, sealed.indexOf("."));
}
