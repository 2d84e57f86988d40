/** A Secret as it was sent, before what is secret in it is sealed. It is never stored: the types of what is stored differ. */
import type { SecretText } from "./secret-text.ts";
import type { SeenMetadata } from "./seen/metadata.ts";
import type { SecretProblem } from "./seen/secret.ts";

export type SentUser = { readonly name: string } & ({ readonly password: SecretText } | { readonly hash: SecretText });

export interface SentSecret extends SeenMetadata {
  readonly kind: "SentSecret";
  readonly certificate?: { readonly chain: string; readonly key: SecretText };
  readonly users?: readonly SentUser[];
  readonly authorities?: string;
  readonly problems: readonly SecretProblem[];
}
