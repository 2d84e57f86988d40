/** A Secret, as far as it is a certificate with its key, users with passwords, or authorities. Keys and hashes are sealed. */
import type { Sealed } from "../sealed.ts";
import type { SeenMetadata } from "./metadata.ts";

export interface SeenCertificate {
  /** PEM, the certificate of the key first. */
  readonly chain: string;
  /** Absent: there was nothing to seal it with, so it is not kept. */
  readonly key?: Sealed;
  /** Host names in lower case, `*.name` among them. */
  readonly names: readonly string[];
  /** RFC 3339, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface SeenUser {
  readonly name: string;
  /** As crypt(3) writes it. */
  readonly hash: Sealed;
}

/** Why something of it cannot be used. */
export interface SecretProblem {
  readonly sentence: string;
  /** Refused at the door, when a review shows it. */
  readonly deny: boolean;
}

export interface SeenSecret extends SeenMetadata {
  readonly kind: "Secret";
  /** Of type kubernetes.io/tls, where it can be used. */
  readonly certificate?: SeenCertificate;
  /** Of type kubernetes.io/basic-auth one, of a key `auth` each line that can be used. */
  readonly users?: readonly SeenUser[];
  /** `ca.crt` of any of them, or alone: certificates of authorities in PEM, which are no secret. */
  readonly authorities?: string;
  readonly problems: readonly SecretProblem[];
}
