/** What was seen of a Kubernetes object, trimmed to what translation reads. Nothing of a Secret is ever among it. */
import type { SeenEndpointSlice } from "./endpoint-slice.ts";
import type { SeenIngress } from "./ingress.ts";
import type { SeenIngressClass } from "./ingress-class.ts";
import type { SeenNamespace } from "./namespace.ts";
import type { SeenService } from "./service.ts";

/** What every seen object has. */
export interface SeenMetadata {
  readonly name: string;
  /** Empty for cluster-wide kinds. */
  readonly namespace: string;
  /** creationTimestamp as the apiserver wrote it: RFC 3339 in UTC, whole seconds. */
  readonly created: string;
}

export type SeenObject = SeenService | SeenEndpointSlice | SeenIngress | SeenIngressClass | SeenNamespace;
