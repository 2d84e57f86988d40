/** An IngressClass: which controller serves Ingresses that name it. */
import type { SeenMetadata } from "./metadata.ts";

export interface SeenIngressClass extends SeenMetadata {
  readonly kind: "IngressClass";
  readonly controller: string;
  /** Annotation ingressclass.kubernetes.io/is-default-class: "true". */
  readonly isDefault: boolean;
}
