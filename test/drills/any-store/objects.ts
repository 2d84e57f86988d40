/** Objects as a cluster has them, short to write. */
import type { Pair } from "../../harness/certificate.ts";
import type { Content } from "../../simulate/objects.ts";

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

type Annotations = Readonly<Record<string, string>>;

const created = "2026-11-22T10:00:00Z";
const prefix = "entrance.dev/";

function metadata({ namespace, name }: Named, annotations: Annotations = {}): Content["metadata"] {
  const all = Object.entries(annotations).map(([key, value]) => [prefix + key, value]);
  return { name, namespace, creationTimestamp: created, annotations: Object.fromEntries(all) };
}

export function service(named: Named, annotations: Annotations = {}): Content {
  const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8_080 }];
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: metadata(named, annotations),
    spec: { type: "ClusterIP", ports },
  };
}

/** A member on this machine, or none. */
export function slice({ namespace, name }: Named, place: string, port: number | undefined): Content {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      ...metadata({ namespace, name: `${name}-${place}` }),
      labels: { "kubernetes.io/service-name": name },
    },
    addressType: "IPv4",
    endpoints: port === undefined ? [] : [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port: port ?? 1, protocol: "TCP" }],
  };
}

export interface Routes {
  readonly host: string;
  /** Service by path. */
  readonly paths: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly annotations?: Annotations;
}

export function ingress(named: Named, { host, paths, secret, annotations = {} }: Routes): Content {
  const rules = Object.entries(paths).map(([path, name]) => ({
    path,
    pathType: "Prefix",
    backend: { service: { name, port: { number: 80 } } },
  }));
  return {
    kind: "Ingress",
    apiVersion: "networking.k8s.io/v1",
    metadata: metadata(named, annotations),
    spec: {
      ingressClassName: "entrance",
      rules: [{ host, http: { paths: rules } }],
      ...(secret === undefined ? {} : { tls: [{ hosts: [host], secretName: secret }] }),
    },
  };
}

export function tlsSecret(named: Named, { chain, key }: Pair): Content {
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  return {
    kind: "Secret",
    apiVersion: "v1",
    metadata: metadata(named),
    type: "kubernetes.io/tls",
    data: { "tls.crt": encoded(chain), "tls.key": encoded(key) },
  };
}
