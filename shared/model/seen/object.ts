/** What was seen of a Kubernetes object, trimmed to what translation reads. What is secret in it is sealed. */
import type { SeenEndpointSlice } from "./endpoint-slice.ts";
import type { SeenIngress } from "./ingress.ts";
import type { SeenIngressClass } from "./ingress-class.ts";
import type { SeenNamespace } from "./namespace.ts";
import type { SeenSecret } from "./secret.ts";
import type { SeenService } from "./service.ts";

export type SeenObject = SeenService | SeenEndpointSlice | SeenIngress | SeenIngressClass | SeenNamespace | SeenSecret;
