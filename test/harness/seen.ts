/** Observations as decode would make them, short to write in tests of the protocol. */
import type { Observation } from "../../shared/model/observation.ts";
import type { SeenEndpointSlice } from "../../shared/model/seen/endpoint-slice.ts";
import type { SeenIngress } from "../../shared/model/seen/ingress.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import type { SeenService } from "../../shared/model/seen/service.ts";

const created = "2026-11-22T10:00:00Z";

/** Port 80, named http. */
export function seenService(namespace: string, name: string, more: Partial<SeenService> = {}): SeenService {
  const ports = [{ name: "http", port: 80, protocol: "TCP" as const, targetPort: 8080 }];
  return { kind: "Service", namespace, name, created, type: "ClusterIP", ports, labels: {}, annotations: {}, ...more };
}

/** Ready endpoints on port 8080 at these addresses. */
export function seenSlice(
  namespace: string,
  service: string,
  addresses: readonly string[],
  suffix = "a",
): SeenEndpointSlice {
  return {
    kind: "EndpointSlice",
    namespace,
    name: `${service}-${suffix}`,
    created,
    service,
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ address, ready: true, serving: true, terminating: false })),
  };
}

/** Class entrance; all hosts to one Service's port 80. */
export function seenIngress(
  namespace: string,
  name: string,
  hosts: readonly string[],
  service: string,
  more: Partial<SeenIngress> = {},
): SeenIngress {
  const paths = [{ path: "/", pathType: "Prefix" as const, backend: { service, port: 80 } }];
  const rules = hosts.map((host) => ({ host, paths }));
  return {
    kind: "Ingress",
    namespace,
    name,
    created,
    className: "entrance",
    rules,
    tls: [],
    labels: {},
    annotations: {},
    ...more,
  };
}

/** As its audit event shows it at this resourceVersion. */
export function observed(
  object: SeenObject,
  resourceVersion: number,
  uid?: string,
): Extract<Observation, { type: "object" }> {
  const { kind, namespace, name } = object;
  return {
    type: "object",
    reference: { kind, namespace, name },
    uid: uid ?? `${kind}-${namespace}-${name}`,
    position: { resourceVersion: String(resourceVersion), step: 0 },
    object,
  };
}

export function gone(
  object: SeenObject,
  resourceVersion: number,
  uid?: string,
): Extract<Observation, { type: "gone" }> {
  const { reference, uid: same } = observed(object, resourceVersion, uid);
  return { type: "gone", reference, uid: same, position: { resourceVersion: String(resourceVersion), step: 2 } };
}
