/** Wire objects, reviews and audit events as an apiserver would send them, short to write. */
export type Json = Readonly<Record<string, unknown>>;

export const observeSettings = { prefix: "entrance.dev" };

/** What JSON leaves of it: members that are undefined are missing on the wire. */
function sent(value: Json): Json {
  return JSON.parse(JSON.stringify(value));
}

const metadata = {
  name: "web",
  namespace: "shop",
  uid: "u-1",
  resourceVersion: "10",
  creationTimestamp: "2026-11-22T10:00:00Z",
  managedFields: [{ manager: "kubectl" }],
};

export function service(changes: Json = {}, spec: Json = {}): Json {
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { ...metadata, ...changes },
    spec: { type: "ClusterIP", ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }], ...spec },
    status: { loadBalancer: {} },
  };
}

export function slice(changes: Json = {}): Json {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { ...metadata, name: "web-a", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.1.0.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    ...changes,
  };
}

export function ingress(spec: Json = {}, changes: Json = {}): Json {
  return {
    kind: "Ingress",
    apiVersion: "networking.k8s.io/v1",
    metadata: { ...metadata, ...changes },
    spec: {
      ingressClassName: "entrance",
      rules: [{ host: "www.shop.example", http: { paths: [path("/")] } }],
      ...spec,
    },
  };
}

export function path(value: string, pathType = "Prefix"): Json {
  return { path: value, pathType, backend: { service: { name: "web", port: { number: 80 } } } };
}

export function ingressClass(spec: Json = {}, annotations: Json = {}): Json {
  return {
    kind: "IngressClass",
    apiVersion: "networking.k8s.io/v1",
    metadata: { ...metadata, name: "edge", namespace: undefined, annotations },
    spec: { controller: "entrance.dev/openresty", ...spec },
  };
}

export function namespace(changes: Json = {}, finalizers: readonly string[] = ["kubernetes"]): Json {
  return {
    kind: "Namespace",
    apiVersion: "v1",
    metadata: { ...metadata, name: "shop", namespace: undefined, ...changes },
    spec: { finalizers },
  };
}

/** `data` is what it means, before base64. */
export function secret(type: string, data: Readonly<Record<string, string>>, changes: Json = {}): Json {
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")]);
  return {
    kind: "Secret",
    apiVersion: "v1",
    metadata: { ...metadata, name: "shop-tls", ...changes },
    data: Object.fromEntries(encoded),
    type,
  };
}

const groups: Readonly<Record<string, string>> = {
  EndpointSlice: "discovery.k8s.io",
  Ingress: "networking.k8s.io",
  IngressClass: "networking.k8s.io",
};

export function review(operation: string, kind: string, request: Json): Json {
  return sent({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "r-1",
      kind: { group: groups[kind] ?? "", version: "v1", kind },
      resource: {},
      name: "web",
      namespace: "shop",
      operation,
      object: null,
      oldObject: null,
      dryRun: false,
      options: {},
      ...request,
    },
  });
}

const resources: Readonly<Record<string, string>> = {
  Service: "services",
  EndpointSlice: "endpointslices",
  Ingress: "ingresses",
  IngressClass: "ingressclasses",
  Namespace: "namespaces",
  Secret: "secrets",
};

/** A successful write of a `kind` in shop, answered with `responseObject`. */
export function event(
  verb: string,
  kind: string,
  responseObject: unknown,
  changes: Json = {},
  reference: Json = {},
): Json {
  return sent({
    level: "RequestResponse",
    auditID: "a-1",
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/shop/services/web?fieldManager=kubectl",
    verb,
    objectRef: {
      resource: resources[kind] ?? kind,
      namespace: "shop",
      name: "web",
      apiVersion: "v1",
      ...(groups[kind] === undefined ? {} : { apiGroup: groups[kind] }),
      ...reference,
    },
    responseStatus: { metadata: {}, code: 200 },
    responseObject,
    stageTimestamp: "2026-11-22T11:00:00.500000Z",
    ...changes,
  });
}

export function eventList(...items: readonly unknown[]): Json {
  return { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items };
}
