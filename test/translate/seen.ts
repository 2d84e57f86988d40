/** Seen objects, short to write. */
import type { SeenEndpoint, SeenEndpointSlice } from "../../shared/model/seen/endpoint-slice.ts";
import type { SeenBackend, SeenIngress, SeenPath } from "../../shared/model/seen/ingress.ts";
import type { SeenIngressClass } from "../../shared/model/seen/ingress-class.ts";
import type { SeenNamespace } from "../../shared/model/seen/namespace.ts";
import type { SeenService, SeenServicePort } from "../../shared/model/seen/service.ts";

export const created = "2026-11-22T10:00:00Z";
const common = { namespace: "shop", name: "web", created, labels: {}, annotations: {} };

export function port(number: number, more: Partial<SeenServicePort> = {}): SeenServicePort {
  return { name: "", port: number, protocol: "TCP", targetPort: number + 8000, ...more };
}

/** shop/web with port 80, named http, to 8080. */
export function service(more: Partial<SeenService> = {}): SeenService {
  return { kind: "Service", ...common, type: "ClusterIP", ports: [port(80, { name: "http" })], ...more };
}

/** shop/web with rules on its hosts: path `/` to port 80 of shop/web. */
export function ingress(hosts: readonly string[], more: Partial<SeenIngress> = {}): SeenIngress {
  const rules = hosts.map((host) => ({ host, paths: [path("/")] }));
  return { kind: "Ingress", ...common, className: "entrance", rules, tls: [], ...more };
}

const backend: SeenBackend = { service: "web", port: 80 };

export function path(value: string, pathType: SeenPath["pathType"] = "Prefix", to: SeenBackend = backend): SeenPath {
  return { path: value, pathType, backend: to };
}

export function ingressClass(more: Partial<SeenIngressClass> = {}): SeenIngressClass {
  const { created } = common;
  return {
    kind: "IngressClass",
    namespace: "",
    name: "edge",
    created,
    controller: "entrance.dev/openresty",
    isDefault: false,
    ...more,
  };
}

export function namespace(more: Partial<SeenNamespace> = {}): SeenNamespace {
  return { kind: "Namespace", ...common, namespace: "", name: "shop", ...more };
}

export function endpoint(address: string, more: Partial<SeenEndpoint> = {}): SeenEndpoint {
  return { address, ready: true, serving: true, terminating: false, ...more };
}

/** Of shop/web, with port http at 8080. */
export function slice(endpoints: readonly SeenEndpoint[], more: Partial<SeenEndpointSlice> = {}): SeenEndpointSlice {
  return {
    kind: "EndpointSlice",
    namespace: "shop",
    name: "web-a",
    created,
    service: "web",
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints,
    ...more,
  };
}
