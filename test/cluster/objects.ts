/** Objects as users write them. */
import type { Pair } from "../harness/certificate.ts";
import type { KubeObject } from "./api.ts";

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function tlsSecret(within: string, name: string, { chain, key }: Pair): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: within },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": chain, "tls.key": key },
  };
}

/** A Deployment of the tests' application. */
export function web(
  within: string,
  name: string,
  replicas: number,
  {
    kind = "http",
    port = 8080,
    drainMs = 500,
  }: { kind?: "http" | "tcp" | "udp"; port?: number; drainMs?: number } = {},
): KubeObject {
  const labels = { app: name };
  const values = { APP_KIND: kind, APP_PORT: String(port), APP_NAME: name, APP_DRAIN_MS: String(drainMs) };
  const env = [
    ...Object.entries(values).map(([key, value]) => ({ name: key, value })),
    { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
  ];
  const probe = kind === "udp" ? {} : { readinessProbe: { tcpSocket: { port: "main" }, periodSeconds: 1 } };
  const container = {
    name: "app",
    image: "test/app",
    env,
    ports: [{ name: "main", containerPort: port, protocol: kind === "udp" ? "UDP" : "TCP" }],
    ...probe,
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: within },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 5, containers: [container] } },
    },
  };
}

export function service(
  within: string,
  name: string,
  more: { annotations?: Readonly<Record<string, string>>; ports?: readonly object[]; spec?: object } = {},
): KubeObject {
  const { annotations = {}, ports = [{ name: "main", port: 80, targetPort: "main" }], spec = {} } = more;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: within, annotations },
    spec: { selector: { app: name }, ports, ...spec },
  };
}

export function ingress(
  within: string,
  name: string,
  host: string,
  more: { annotations?: Readonly<Record<string, string>>; spec?: object; to?: string } = {},
): KubeObject {
  const { annotations = {}, spec = {}, to = name } = more;
  const backend = { service: { name: to, port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: within, annotations },
    spec: {
      ingressClassName: "entrance",
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      ...spec,
    },
  };
}
