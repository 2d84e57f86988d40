/** What was seen of a Kubernetes object, trimmed to what translation reads. Nothing of a Secret is ever among it. */
import type { SeenEndpointSlice } from "./endpoint-slice.ts";
import type { SeenIngress } from "./ingress.ts";
import type { SeenIngressClass } from "./ingress-class.ts";
import type { SeenNamespace } from "./namespace.ts";
import type { SeenService } from "./service.ts";

export type SeenObject = SeenService | SeenEndpointSlice | SeenIngress | SeenIngressClass | SeenNamespace;
