/** Entrance on the cluster, with nodes of its own and two pods that answer: what every row begins with. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { type KubeObject, until } from "../../cluster/api.ts";
import type { Facts } from "../../cluster/field.ts";
import { Installed } from "../../cluster/installed.ts";
import { ingress, namespace, web } from "../../cluster/objects.ts";
import { KEY, startNode, type TestNode } from "../../harness/node.ts";
import { traceSettings } from "./trace-settings.ts";

const within = "bench";
/** 10,000 routes and as many of the rows' own. */
const memoryMiB = 256;
const writesAtOnce = 32;
const quietWithinMs = 600_000;
const quietPauseMs = 1_000;

export interface SiteOptions {
  readonly nodes: number;
  readonly trace: boolean;
}

export class Site {
  readonly installed: Installed;
  readonly nodes: readonly TestNode[];
  /** Of the two pods. */
  readonly addresses: readonly [string, string];
  readonly traceFolder: string;

  private constructor(parts: Pick<Site, "installed" | "nodes" | "addresses" | "traceFolder">) {
    this.installed = parts.installed;
    this.nodes = parts.nodes;
    this.addresses = parts.addresses;
    this.traceFolder = parts.traceFolder;
  }

  static async start(facts: Facts, { nodes: count, trace }: SiteOptions): Promise<Site> {
    const nodes: TestNode[] = [];
    for (let number = 0; number < count; number += 1) nodes.push(await startNode({ workers: 1, memoryMiB }));
    const traceFolder = path.join(facts.folder, "trace");
    mkdirSync(traceFolder, { recursive: true, mode: 0o777 });
    const installed = await Installed.install(facts, {
      nodes: nodes.map(({ ports }) => `http://127.0.0.1:${ports.admin}`),
      nodeKey: KEY,
      settings: traceSettings(traceFolder, trace),
    });
    const addresses = await startBackends(installed);
    const made = new Site({ installed, nodes, addresses, traceFolder });
    for (const [name, members] of Object.entries({ one: [0], two: [1], both: [0, 1] })) {
      await made.apply(
        serviceOf(name),
        sliceOf(
          name,
          members.map((number) => addresses[number] ?? ""),
        ),
      );
    }
    return made;
  }

  get api() {
    return this.installed.api;
  }

  get node(): TestNode {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("a site has nodes");
    return first;
  }

  async apply(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const { status, json } = await this.api.apply(object);
      if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${JSON.stringify(json)}`);
    }
  }

  /** Many at once. */
  async create(objects: readonly KubeObject[]): Promise<void> {
    const left = objects.values();
    const writers = Array.from({ length: writesAtOnce }, async () => {
      for (const object of left) await this.api.create(object);
    });
    await Promise.all(writers);
  }

  /** A client of a node, on one kept connection. */
  client(node: TestNode = this.node): NodeClient {
    return new NodeClient(node.ports.http);
  }

  /** Nothing is left to do: the users of all Ingresses are told of it. */
  async quiet(): Promise<void> {
    const path = `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses?resourceVersion=0`;
    for (const deadline = Date.now() + quietWithinMs; ; await sleep(quietPauseMs)) {
      const { items } = await this.api.list(path);
      const untold = items.filter(({ status }) => !JSON.stringify(status ?? {}).includes('"ip"'));
      if (untold.length === 0) return;
      if (Date.now() > deadline) throw new Error(`${untold.length} Ingresses have no address`);
    }
  }

  async stop(): Promise<void> {
    await this.installed.remove();
    await this.api.delete(namespace(within));
    await until(
      "the bench's namespace is gone",
      async () => (await this.api.get(namespace(within))) === undefined,
      120_000,
    );
    for (const node of this.nodes) await node.stop();
  }
}

export interface NodeAnswer {
  readonly status: number;
  /** Who answered, if somebody did. */
  readonly pod: string;
}

export class NodeClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`http://127.0.0.1:${port}`);
  }

  async get(host: string): Promise<NodeAnswer> {
    const { statusCode, headers, body } = await this.#client.request({ method: "GET", path: "/", headers: { host } });
    await body.dump();
    return { status: statusCode, pod: String(headers["x-pod"] ?? "") };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** An Ingress of one host that leads to the Service `to`. */
export function route(name: string, to = "both"): KubeObject {
  return ingress(within, name, hostOf(name), { to });
}

export function hostOf(name: string): string {
  return `${name}.bench.example`;
}

/** No selector: its slices are written by the bench. */
export function serviceOf(name: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: within },
    spec: { ports: [{ name: "main", port: 80, targetPort: 8080 }] },
  };
}

export function sliceOf(service: string, addresses: readonly string[]): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: service, namespace: within, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "main", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

async function startBackends({ api }: Installed): Promise<readonly [string, string]> {
  for (const object of [namespace(within), web(within, "backend", 2)]) await api.apply(object);
  return until("two pods answer", async () => {
    const { items } = await api.list(`/api/v1/namespaces/${within}/pods?labelSelector=app%3Dbackend`);
    const ready = items.flatMap(({ status }) => {
      const { podIP, conditions = [] } = (status ?? {}) as PodStatus;
      const isReady = conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
      return isReady && podIP !== undefined ? [podIP] : [];
    });
    const [first, second] = ready;
    return first !== undefined && second !== undefined && ([first, second] as const);
  });
}

interface PodStatus {
  readonly podIP?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}
