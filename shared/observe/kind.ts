/** The kinds that are stored: how the wire names them, and who trims them. Any other kind is none of ours. */
import type { Parsed } from "../model/parse.ts";
import type { SeenKind } from "../model/reference.ts";
import type { SeenObject } from "../model/seen/object.ts";
import type { SentSecret } from "../model/sent-secret.ts";
import { trimEndpointSlice } from "./endpoint-slice.ts";
import { trimIngress } from "./ingress.ts";
import { trimIngressClass } from "./ingress-class.ts";
import { trimNamespace } from "./namespace.ts";
import { isKeptSecret, trimSecret } from "./secret.ts";
import { trimService } from "./service.ts";
import type { ObserveSettings } from "./settings.ts";

export interface WireKind {
  readonly kind: SeenKind;
  /** Empty for the core group. */
  readonly group: string;
  /** How audit events name it. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** What the apiserver accepts as its name. */
  readonly names: "label" | "subdomain";
  /** The object without whatever translation does not read, or why it cannot be used. */
  readonly trim: (wire: unknown, settings: ObserveSettings) => Parsed<SeenObject | SentSecret>;
  /** Of kinds of which not every object is ours. */
  readonly isKept?: (wire: unknown) => boolean;
}

const wireKinds: Readonly<Record<SeenKind, WireKind>> = {
  Namespace: {
    kind: "Namespace",
    group: "",
    resource: "namespaces",
    namespaced: false,
    names: "label",
    trim: trimNamespace,
  },
  Secret: {
    kind: "Secret",
    group: "",
    resource: "secrets",
    namespaced: true,
    names: "subdomain",
    trim: trimSecret,
    isKept: isKeptSecret,
  },
  Service: { kind: "Service", group: "", resource: "services", namespaced: true, names: "label", trim: trimService },
  EndpointSlice: {
    kind: "EndpointSlice",
    group: "discovery.k8s.io",
    resource: "endpointslices",
    namespaced: true,
    names: "subdomain",
    trim: trimEndpointSlice,
  },
  Ingress: {
    kind: "Ingress",
    group: "networking.k8s.io",
    resource: "ingresses",
    namespaced: true,
    names: "subdomain",
    trim: trimIngress,
  },
  IngressClass: {
    kind: "IngressClass",
    group: "networking.k8s.io",
    resource: "ingressclasses",
    namespaced: false,
    names: "subdomain",
    trim: trimIngressClass,
  },
};

/** The only version that is read; another one of the same kind is a hint. */
export const knownVersion = "v1";

export function wireKindOf(kind: SeenKind): WireKind {
  return wireKinds[kind];
}

export function wireKindNamed(group: string, kind: string): WireKind | undefined {
  return Object.values(wireKinds).find((known) => known.group === group && known.kind === kind);
}

export function wireKindOfResource(group: string, resource: string): WireKind | undefined {
  return Object.values(wireKinds).find((known) => known.group === group && known.resource === resource);
}

/** `v1` or `GROUP/v1`, as objects of the kind say it themselves. */
export function apiVersionOf(kind: WireKind): string {
  return kind.group === "" ? knownVersion : `${kind.group}/${knownVersion}`;
}
