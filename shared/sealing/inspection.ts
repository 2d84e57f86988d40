/** What looking at a certificate chain and its key finds. Each host has an implementation. */
import type { SeenCertificate } from "../model/seen/secret.ts";

export type Inspection =
  | { readonly ok: true; readonly certificate: Omit<SeenCertificate, "key">; readonly key: string }
  /** Why it cannot be used; `deny` where it can be of no use to anybody. */
  | { readonly ok: false; readonly sentence: string; readonly deny: boolean };

/** Both in PEM. */
export type Inspect = (chain: string, key: string) => Inspection;
