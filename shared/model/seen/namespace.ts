/** A Namespace: the tenant it belongs to and the host names that it reserves. */
import type { SeenMetadata } from "./metadata.ts";

export interface SeenNamespace extends SeenMetadata {
  readonly kind: "Namespace";
  /** Label tenant_name only. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of our prefix, without it: `domains`. */
  readonly annotations: Readonly<Record<string, string>>;
}
