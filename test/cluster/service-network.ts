/**
 * A stand-in for kube-proxy and the cluster's DNS, for the Services of a few namespaces: a Service's address leads to
 * its endpoints that are ready, and its name stands in /etc/hosts, which lies in the mount namespace of the tests.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { addAddress, removeAddress } from "./address.ts";
import type { Api, KubeObject } from "./api.ts";

/** What installs something that other pods, or the apiserver, reach by a Service. */
const namespaces = ["default", "entrance"];

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

export class ServiceNetwork {
  readonly #api: Api;
  readonly #ended = new AbortController();
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Slice>();
  readonly #servers = new Map<string, Server[]>();
  readonly #hosts = readFileSync("/etc/hosts", "utf8");
  #turn = 0;

  constructor(api: Api) {
    this.#api = api;
  }

  start(): void {
    const follow = (path: string, tell: (object: KubeObject, isGone: boolean) => void) =>
      void this.#api.watch(path, this.#ended.signal, ({ type, object }) => {
        if (type !== "BOOKMARK") tell(object, type === "DELETED");
      });
    for (const namespace of namespaces) {
      follow(`/api/v1/namespaces/${namespace}/services`, (object, isGone) => {
        const name = nameOf(object);
        if (isGone) this.#services.delete(name);
        else this.#services.set(name, object as Service);
        this.#listen(name);
        this.#writeHosts();
      });
      follow(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, (object, isGone) => {
        if (isGone) this.#slices.delete(nameOf(object));
        else this.#slices.set(nameOf(object), object as Slice);
        this.#writeHosts();
      });
    }
  }

  /** A Service without an address is told by the name alone. */
  #listen(name: string): void {
    const service = this.#services.get(name);
    const address = service?.spec.clusterIP;
    if (service === undefined || address === undefined || address === "None" || address === "") {
      for (const server of this.#servers.get(name) ?? []) server.close();
      this.#servers.delete(name);
      return;
    }
    if (this.#servers.has(name)) return;
    addAddress(address);
    const servers = (service.spec.ports ?? [])
      .filter(({ protocol = "TCP" }) => protocol === "TCP")
      .map(({ name: port, port: number }) => {
        const server = createServer({ allowHalfOpen: true }, (client) => {
          const [host, target] = this.#next(name, port) ?? [];
          if (host === undefined || target === undefined) {
            client.destroy();
            return;
          }
          const upstream = connect({ host, port: target, allowHalfOpen: true });
          client.on("error", () => upstream.destroy());
          upstream.on("error", () => client.destroy());
          client.pipe(upstream).pipe(client);
        });
        server.on("close", () => removeAddressOnce(address));
        server.listen(number, address);
        return server;
      });
    this.#servers.set(name, servers);
  }

  #next(service: string, port: string | undefined): readonly [string, number] | undefined {
    const targets = this.#endpointsOf(service).flatMap(({ slice, address }) => {
      const found = slice.ports?.find((each) => (each.name ?? "") === (port ?? ""));
      return found === undefined ? [] : [[address, found.port] as const];
    });
    this.#turn += 1;
    return targets[this.#turn % targets.length];
  }

  #endpointsOf(service: string): { slice: Slice; address: string; hostname: string | undefined }[] {
    return [...this.#slices.values()]
      .filter(({ metadata }) => `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"]}` === service)
      .flatMap((slice) =>
        (slice.endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .map(({ addresses, hostname }) => ({ slice, address: addresses[0] ?? "", hostname })),
      );
  }

  /** In place: it is mounted where it is. */
  #writeHosts(): void {
    const lines: string[] = [];
    for (const [name, { spec }] of this.#services) {
      const [namespace, service] = name.split("/");
      const names = [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`].join(" ");
      const isHeadless = spec.clusterIP === "None";
      if (!isHeadless) lines.push(`${spec.clusterIP} ${names}`);
      for (const { address, hostname } of this.#endpointsOf(name)) {
        if (isHeadless) lines.push(`${address} ${names}`);
        if (hostname !== undefined) lines.push(`${address} ${hostname}.${service}.${namespace}.svc`);
      }
    }
    writeFileSync("/etc/hosts", `${this.#hosts}\n${lines.join("\n")}\n`);
  }
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** A Service has one address for all its ports. */
function removeAddressOnce(address: string): void {
  try {
    removeAddress(address);
  } catch {
    // Another port's end has taken it away.
  }
}
