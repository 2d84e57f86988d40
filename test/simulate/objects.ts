/** Random objects that compete for host names, ports and pools, as an apiserver keeps them. */
import type { SeenKind } from "../../shared/model/reference.ts";
import { poison } from "./poison.ts";
import type { Random } from "./random.ts";
import { planted } from "./secrets.ts";
import { apiVersions, type WireObject } from "./wire.ts";

/** How many of each there may be. */
export interface Extent {
  readonly namespaces: readonly string[];
  readonly services: readonly string[];
  readonly slices: number;
  readonly ingresses: number;
  readonly hosts: readonly string[];
  /** Objects whose translation throws. */
  readonly poison: boolean;
  /** Where there is an API to read them from: audit logs have nothing of them. */
  readonly secrets: boolean;
}

export function newExtent(random: Random, secrets: boolean): Extent {
  const size = random.pick([1, 1, 1, 1, 2, 2, 3, 5]);
  const count = (most: number) => Array.from({ length: most * size }, (_, index) => index);
  return {
    namespaces: ["a", "b", ...(size > 2 ? ["c", "d"] : [])],
    services: count(2).map((index) => `s${index}`),
    slices: 2 + random.below(2),
    ingresses: 3 * size,
    hosts: count(3).map((index) => `h${index}.example`),
    poison: random.one(3),
    secrets,
  };
}

const ages = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];
const ports = [80, 81, 82].map((port) => ({ name: `p${port}`, port, protocol: "TCP", targetPort: 8_000 + port }));

export interface Content {
  readonly kind: SeenKind;
  readonly apiVersion: string;
  readonly metadata: Omit<WireObject["metadata"], "uid" | "resourceVersion">;
  readonly [field: string]: unknown;
}

type Maker = (random: Random, extent: Extent) => Content;

const makers: Readonly<Record<SeenKind, Maker>> = {
  Service(random, { namespaces, services, hosts }) {
    const annotations: Record<string, string> = {};
    if (random.one(2)) {
      annotations["entrance.dev/http"] = random
        .some(hosts)
        .slice(0, 4)
        .map((host) => `${host}${random.pick(["", "/x"])}=${random.pick(ports).port}`)
        .join();
    }
    if (random.one(4)) annotations["entrance.dev/tcp"] = `${9_000 + random.below(2)}:${random.pick(ports).port}`;
    if (random.one(4)) annotations["entrance.dev/class"] = random.pick(["one", "two"]);
    const named = Object.keys(annotations).some((name) => !name.endsWith("class"));
    const kept = named ? ports : ports.filter(() => !random.one(4));
    return {
      kind: "Service",
      apiVersion: "v1",
      metadata: {
        name: random.pick(services),
        namespace: random.pick(namespaces),
        creationTimestamp: random.pick(ages),
        ...(random.one(6) ? { labels: { tenant_name: "c" } } : {}),
        annotations,
      },
      spec: { type: "ClusterIP", ports: kept },
    };
  },
  EndpointSlice(random, { namespaces, services, slices }) {
    const service = random.pick(services);
    const addresses = Array.from({ length: random.below(3) }, (_, index) => `10.0.${random.below(3)}.${index}`);
    return {
      kind: "EndpointSlice",
      apiVersion: "discovery.k8s.io/v1",
      metadata: {
        name: `${service}-${random.below(slices)}`,
        namespace: random.pick(namespaces),
        creationTimestamp: random.pick(ages),
        labels: { "kubernetes.io/service-name": service },
      },
      addressType: "IPv4",
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: !random.one(5) } })),
      ports: ports.map(({ name, targetPort, protocol }) => ({ name, port: targetPort, protocol })),
    };
  },
  Ingress(random, { namespaces, services, hosts, ingresses, poison: isPoisonous }) {
    const backend = () => {
      const name = random.pick(services);
      return { service: { name, port: random.one(2) ? { number: random.pick(ports).port } : { name: "p80" } } };
    };
    const rules = random
      .some(hosts)
      .slice(0, 4)
      .map((host) => ({
        host,
        http: {
          paths: ["/", "/x"].slice(random.below(2)).map((path) => ({ path, pathType: "Prefix", backend: backend() })),
        },
      }));
    const className = random.pick(["one", "two", "named", "extra", ""]);
    const annotations: Record<string, string> = {};
    if (isPoisonous && random.one(4)) annotations[`entrance.dev/${poison}`] = "yes";
    return {
      kind: "Ingress",
      apiVersion: "networking.k8s.io/v1",
      metadata: {
        name: `i${random.below(ingresses)}`,
        namespace: random.pick(namespaces),
        creationTimestamp: random.pick(ages),
        ...(random.one(6) ? { labels: { tenant_name: "c" } } : {}),
        annotations,
      },
      spec: {
        ...(className === "" ? {} : { ingressClassName: className }),
        rules,
        ...(random.one(4) ? { tls: [{ hosts: [random.pick(hosts)], secretName: random.pick(["x", "y"]) }] } : {}),
      },
    };
  },
  IngressClass(random) {
    const isDefault = random.one(2);
    return {
      kind: "IngressClass",
      apiVersion: "networking.k8s.io/v1",
      metadata: {
        name: random.pick(["named", "extra"]),
        creationTimestamp: random.pick(ages),
        annotations: isDefault ? { "ingressclass.kubernetes.io/is-default-class": "true" } : {},
      },
      spec: { controller: random.pick(["entrance.dev/one", "entrance.dev/two", "other"]) },
    };
  },
  Secret(random, { namespaces }) {
    const name = random.pick(["x", "y"]);
    const chain = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const key = `-----BEGIN PRIVATE KEY-----\n${planted}${random.below(3)}\n-----END PRIVATE KEY-----\n`;
    return {
      kind: "Secret",
      apiVersion: "v1",
      metadata: { name, namespace: random.pick(namespaces), creationTimestamp: random.pick(ages) },
      type: "kubernetes.io/tls",
      data: { "tls.crt": btoa(chain), "tls.key": btoa(key) },
    };
  },
  Namespace(random, { namespaces, hosts }) {
    return {
      kind: "Namespace",
      apiVersion: "v1",
      metadata: {
        name: random.pick(namespaces),
        creationTimestamp: random.pick(ages),
        annotations: random.one(3) ? { "entrance.dev/domains": random.some(hosts).slice(0, 3).join() } : {},
      },
      spec: {},
    };
  },
};

/** Slices change most. */
const weights = [
  "Service",
  "Service",
  "EndpointSlice",
  "EndpointSlice",
  "EndpointSlice",
  "EndpointSlice",
  "Ingress",
] as const;
const rest = ["Ingress", "Ingress", "IngressClass", "Namespace"] as const;

export function randomContent(random: Random, extent: Extent): Content {
  const secrets = extent.secrets ? (["Secret"] as const) : [];
  return makers[random.pick([...weights, ...rest, ...secrets])](random, extent);
}

/** Of this kind; the rest is chance. */
export function contentOf(kind: SeenKind, random: Random, extent: Extent): Content {
  return makers[kind](random, extent);
}

/** A route that is there from its beginning to the end of the simulation, whatever else changes about its objects. */
export interface Anchor {
  readonly index: number;
  readonly host: string;
  readonly namespace: string;
}

export function newAnchor(index: number): Anchor {
  return { index, host: `anchor-${index}.example`, namespace: "z" };
}

const anchorAge = "2025-01-01T00:00:00Z";

/** Two Services with endpoints each; the Ingress leads to one of them at a time. */
export function anchorServices({ index }: Anchor): string[] {
  return [`w${index}x`, `w${index}y`];
}

export function anchorService(random: Random, anchor: Anchor, name: string): Content {
  const more = random.one(2) ? [{ name: "more", port: 82, protocol: "TCP", targetPort: 8_082 }] : [];
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name, namespace: anchor.namespace, creationTimestamp: anchorAge },
    spec: {
      type: "ClusterIP",
      ports: [
        { name: "http", port: 80, protocol: "TCP", targetPort: 8_000 + random.below(3) },
        { name: "extra", port: 81, protocol: "TCP", targetPort: 8_081 },
        ...more,
      ],
    },
  };
}

export function anchorSlice(random: Random, anchor: Anchor, service: string): Content {
  const addresses = Array.from({ length: 1 + random.below(3) }, (_, index) => `10.9.${random.below(9)}.${index}`);
  return {
    kind: "EndpointSlice",
    apiVersion: apiVersions["EndpointSlice"] ?? "",
    metadata: {
      name: `${service}-a`,
      namespace: anchor.namespace,
      creationTimestamp: anchorAge,
      labels: { "kubernetes.io/service-name": service },
    },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [
      { name: "http", port: 8_080, protocol: "TCP" },
      { name: "extra", port: 8_081, protocol: "TCP" },
    ],
  };
}

export function anchorIngress(random: Random, anchor: Anchor): Content {
  const path = (value: string, name: string) => ({
    path: value,
    pathType: "Prefix",
    backend: { service: { name, port: { number: random.pick([80, 80, 81]) } } },
  });
  const services = anchorServices(anchor);
  const paths = [path("/", random.pick(services))];
  if (random.one(2)) paths.push(path("/more", random.pick(services)));
  return {
    kind: "Ingress",
    apiVersion: apiVersions["Ingress"] ?? "",
    metadata: { name: `i${anchor.index}`, namespace: anchor.namespace, creationTimestamp: anchorAge },
    spec: { ingressClassName: "one", rules: [{ host: anchor.host, http: { paths } }] },
  };
}
