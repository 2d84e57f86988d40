/** Bearer tokens, compared without telling by time how much of one was right. */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { SecretText } from "../shared/model/secret-text.ts";

export function isOneOf(presented: string, valid: readonly SecretText[]): boolean {
  const digest = sha256(utf8ToBytes(presented));
  let found = false;
  for (const secret of valid) {
    const expected = sha256(utf8ToBytes(secret.reveal()));
    let difference = 0;
    for (let index = 0; index < expected.length; index += 1) {
      difference |= (expected[index] ?? 0) ^ (digest[index] ?? 0);
    }
    found = difference === 0 || found;
  }
  return found;
}

/** RFC 6750 section 2.1; undefined when the header is of another kind. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([\x21-\x7e]+)$/i.exec(header)?.[1];
}
