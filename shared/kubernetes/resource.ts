/** Where the API has the objects of a kind. */
import type { SeenKind } from "../model/reference.ts";

interface Resource {
  /** Of the API's root, without a slash at its end. */
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const resources: Readonly<Record<SeenKind, Resource>> = {
  Namespace: { group: "/api/v1", plural: "namespaces", namespaced: false },
  Secret: { group: "/api/v1", plural: "secrets", namespaced: true },
  Service: { group: "/api/v1", plural: "services", namespaced: true },
  EndpointSlice: { group: "/apis/discovery.k8s.io/v1", plural: "endpointslices", namespaced: true },
  Ingress: { group: "/apis/networking.k8s.io/v1", plural: "ingresses", namespaced: true },
  IngressClass: { group: "/apis/networking.k8s.io/v1", plural: "ingressclasses", namespaced: false },
};

/** As an object of the kind says it: `v1`, `discovery.k8s.io/v1`. */
export function apiVersionOf(kind: SeenKind): string {
  return resources[kind].group.replace(/^\/apis?\//, "");
}

export function pluralOf(kind: SeenKind): string {
  return resources[kind].plural;
}

/** All of the kind, or all of one namespace. */
export function pathOf(kind: SeenKind, namespace?: string): string {
  const { group, plural, namespaced } = resources[kind];
  const within = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${group}${within}/${plural}`;
}

/** One object; `namespace` is empty for cluster-wide kinds. */
export function pathOfObject(kind: SeenKind, namespace: string, name: string): string {
  return `${pathOf(kind, namespace)}/${encodeURIComponent(name)}`;
}
