/** The audit event of an update, as small as the bench's objects. */
import type { SeenObject } from "../../shared/model/seen/object.ts";

const plural = {
  Service: "services",
  EndpointSlice: "endpointslices",
  Ingress: "ingresses",
  IngressClass: "ingressclasses",
  Namespace: "namespaces",
  Secret: "secrets",
} as const;
const group = {
  Service: "",
  EndpointSlice: "discovery.k8s.io",
  Ingress: "networking.k8s.io",
  IngressClass: "networking.k8s.io",
  Namespace: "",
  Secret: "",
} as const;

interface EventList {
  readonly kind: "EventList";
  readonly apiVersion: "audit.k8s.io/v1";
  readonly items: readonly unknown[];
}

export function auditOf(object: SeenObject, resourceVersion: number): EventList {
  const { kind, namespace, name } = object;
  const apiGroup = group[kind];
  return {
    kind: "EventList",
    apiVersion: "audit.k8s.io/v1",
    items: [
      {
        level: "RequestResponse",
        auditID: `bench-${resourceVersion}`,
        stage: "ResponseComplete",
        requestURI: `/${plural[kind]}/${name}`,
        verb: "update",
        objectRef: { resource: plural[kind], namespace, name, apiGroup, apiVersion: "v1" },
        responseStatus: { code: 200 },
        responseObject: wireOf(object, resourceVersion, apiGroup),
        stageTimestamp: "2026-11-22T10:00:00.000000Z",
      },
    ],
  };
}

function wireOf(object: SeenObject, resourceVersion: number, apiGroup: string): unknown {
  const metadata = {
    name: object.name,
    namespace: object.namespace,
    uid: `${object.kind}-${object.namespace}-${object.name}`,
    resourceVersion: String(resourceVersion),
    creationTimestamp: object.created,
  };
  const head = { kind: object.kind, apiVersion: apiGroup === "" ? "v1" : `${apiGroup}/v1` };
  switch (object.kind) {
    case "Service": {
      const annotations = Object.fromEntries(
        Object.entries(object.annotations).map(([key, value]) => [`entrance.dev/${key}`, value]),
      );
      return { ...head, metadata: { ...metadata, annotations }, spec: { type: object.type, ports: object.ports } };
    }
    case "EndpointSlice":
      return {
        ...head,
        metadata: { ...metadata, labels: { "kubernetes.io/service-name": object.service } },
        addressType: object.addressType,
        ports: object.ports,
        endpoints: object.endpoints.map(({ address, ready }) => ({ addresses: [address], conditions: { ready } })),
      };
    case "Ingress":
      return {
        ...head,
        metadata,
        spec: {
          ingressClassName: object.className,
          rules: object.rules.map(({ host, paths }) => ({
            host,
            http: {
              paths: paths.map(({ path, pathType, backend }) => ({
                path,
                pathType,
                backend:
                  "service" in backend ? { service: { name: backend.service, port: { number: backend.port } } } : {},
              })),
            },
          })),
        },
      };
    default:
      throw new Error(`the bench changes no ${object.kind}`);
  }
}
