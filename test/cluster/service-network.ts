/**
 * A stand-in for kube-proxy and the cluster's DNS, for the Services of a few namespaces: a Service's address leads to
 * its endpoints that are ready, and its name stands in /etc/hosts, which lies in the mount namespace of the tests.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { serviceRange } from "./address.ts";
import type { Api, KubeObject } from "./api.ts";
import type { ServiceTable } from "./service-proxy.ts";

/** What installs something that other pods, or the apiserver, reach by a Service. */
const namespaces = ["default", "entrance"];
/** The two ends of what leads from the machine to the addresses of Services. */
const link = { here: "services", there: "machine", hereAddress: "10.97.0.1", thereAddress: "10.97.0.2" };

interface Service extends KubeObject {
  readonly spec: {
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  };
}

interface Slice extends KubeObject {
  readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
    readonly hostname?: string;
  }[];
}

interface Endpoint {
  readonly slice: Slice;
  readonly address: string;
  readonly hostname: string | undefined;
}

export class ServiceNetwork {
  readonly #api: Api;
  readonly #ended = new AbortController();
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Slice>();
  readonly #hosts = readFileSync("/etc/hosts", "utf8");
  #proxy: ChildProcess | undefined;

  constructor(api: Api) {
    this.#api = api;
  }

  async start(): Promise<void> {
    this.#proxy = await startProxy();
    const follow = (kind: string, known: Map<string, KubeObject>) =>
      void this.#api.watch(kind, this.#ended.signal, ({ type, object }) => {
        if (type === "DELETED") known.delete(nameOf(object));
        else if (type !== "BOOKMARK") known.set(nameOf(object), object);
        this.#tell();
      });
    for (const namespace of namespaces) {
      follow(`/api/v1/namespaces/${namespace}/services`, this.#services);
      follow(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, this.#slices);
    }
  }

  #tell(): void {
    const table: Record<string, readonly string[]> = {};
    const lines: string[] = [];
    for (const [name, { spec }] of this.#services) {
      const endpoints = this.#endpointsOf(name);
      const [namespace, service] = name.split("/");
      const names = [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`].join(" ");
      for (const { address, hostname } of endpoints) {
        if (hostname !== undefined) lines.push(`${address} ${hostname}.${service}.${namespace}.svc`);
      }
      if (spec.clusterIP === undefined || spec.clusterIP === "None") {
        lines.push(...endpoints.map(({ address }) => `${address} ${names}`));
        continue;
      }
      lines.push(`${spec.clusterIP} ${names}`);
      for (const { name: port = "", port: number, protocol = "TCP" } of spec.ports ?? []) {
        if (protocol === "TCP") table[`${spec.clusterIP}:${number}`] = targetsOf(endpoints, port);
      }
    }
    // In place: it is mounted where it is.
    writeFileSync("/etc/hosts", `${this.#hosts}\n${lines.join("\n")}\n`);
    this.#proxy?.send(table satisfies ServiceTable);
  }

  #endpointsOf(service: string): Endpoint[] {
    return [...this.#slices.values()]
      .filter(({ metadata }) => `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"]}` === service)
      .flatMap((slice) =>
        (slice.endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .map(({ addresses, hostname }) => ({ slice, address: addresses[0] ?? "", hostname })),
      );
  }
}

function targetsOf(endpoints: readonly Endpoint[], port: string): string[] {
  return endpoints.flatMap(({ slice, address }) => {
    const found = slice.ports?.find(({ name = "" }) => name === port);
    return found === undefined ? [] : [`${address}:${found.port}`];
  });
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

async function startProxy(): Promise<ChildProcess> {
  const program = path.join(import.meta.dirname, "service-proxy.ts");
  const setUp = [
    "ip link set lo up",
    // Until its parent has moved it here.
    `until ip link set ${link.there} up 2>/dev/null; do sleep 0.01; done`,
    `ip addr add ${link.thereAddress}/30 dev ${link.there}`,
    `ip route add default via ${link.hereAddress}`,
    'exec "$@"',
  ].join("\n");
  const child = spawn("unshare", ["--net", "sh", "-c", setUp, "sh", process.execPath, program], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", () => reject(new Error("the stand-in for kube-proxy cannot be started")));
  });
  const ip = (...args: readonly string[]) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
  ip("link", "add", link.here, "type", "veth", "peer", "name", link.there);
  moveWhenApart(child.pid ?? 0, ip);
  ip("addr", "add", `${link.hereAddress}/30`, "dev", link.here);
  ip("link", "set", link.here, "up");
  ip("route", "add", serviceRange, "via", link.thereAddress);
  await ready;
  return child;
}

/** unshare takes a moment until its network is another one. */
function moveWhenApart(pid: number, ip: (...args: readonly string[]) => unknown): void {
  const networkOf = (process: string) => execFileSync("readlink", [`/proc/${process}/ns/net`], { encoding: "utf8" });
  const own = networkOf("self");
  while (networkOf(String(pid)) === own);
  ip("link", "set", link.there, "netns", String(pid));
}
