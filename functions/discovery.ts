/** Nodes that are the endpoints of a Service: who they are is asked for beside every tick. */
import * as v from "valibot";
import type { KubernetesObjects } from "../shared/kubernetes/objects.ts";
import { type BalancerConfig, maxNodes, type NodeService } from "./config.ts";

const Slices = v.object({
  items: v.nullish(
    v.array(
      v.object({
        addressType: v.string(),
        ports: v.nullish(v.array(v.object({ name: v.nullish(v.string(), ""), port: v.nullish(v.number()) })), []),
        endpoints: v.nullish(v.array(v.object({ addresses: v.array(v.string()) })), []),
      }),
    ),
    [],
  ),
});

/** What a search has changed, by the names of balancers. */
export interface Found {
  /** They have nodes that were not there before. */
  readonly grown: readonly string[];
  /** Some of their nodes are not there any more, or it is the first search that found out which are. */
  readonly shrunk: readonly string[];
}

export class Discovery {
  readonly #objects: KubernetesObjects | undefined;
  readonly #balancers: readonly BalancerConfig[];
  readonly #found = new Map<string, readonly string[]>();
  #asking: Promise<Found> | undefined;

  /** Without an API nobody finds a Service's nodes: those that are listed are all. */
  constructor(objects: KubernetesObjects | undefined, balancers: readonly BalancerConfig[]) {
    this.#objects = objects;
    this.#balancers = balancers;
  }

  /** URLs of the nodes' admin APIs: those that are listed, and those that were found last. */
  nodesOf({ name, nodes }: BalancerConfig): readonly string[] {
    return [...nodes, ...(this.#found.get(name) ?? [])];
  }

  /** What can't be asked for stays as it was. Never rejects. */
  refresh(): Promise<Found> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Found> {
    const grown: string[] = [];
    const shrunk: string[] = [];
    const search = async ({ name, nodes, service }: BalancerConfig): Promise<void> => {
      const before = this.#found.get(name);
      const all = service === undefined ? [] : await this.#find(service);
      const found = all.slice(0, maxNodes - nodes.length);
      this.#found.set(name, found);
      if (found.length < all.length && found.length !== before?.length) {
        console.warn(`entrance: balancer ${name} has ${maxNodes} nodes, as many as one may have; others are left out`);
      }
      if (found.some((node) => before?.includes(node) !== true)) grown.push(name);
      if (before === undefined || before.some((node) => !found.includes(node))) shrunk.push(name);
    };
    const searches = this.#balancers.map((balancer) =>
      search(balancer).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        console.warn(`entrance: the nodes of balancer ${balancer.name} cannot be asked for: ${reason}`);
      }),
    );
    await Promise.all(searches);
    return { grown, shrunk };
  }

  /** Ready or not: a node is ready only once it has got its state from us. */
  async #find({ namespace, name, port }: NodeService): Promise<readonly string[]> {
    if (this.#objects === undefined) return [];
    const selector = encodeURIComponent(`kubernetes.io/service-name=${name}`);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices?labelSelector=${selector}`;
    const { items } = v.parse(
      Slices,
      await this.#objects.get(path, `the EndpointSlices of Service ${namespace}/${name}`),
    );
    const urls = (items ?? []).flatMap(({ addressType, ports, endpoints }) => {
      const number = (ports ?? []).find((each) => each.name === port)?.port;
      if (number == null || (addressType !== "IPv4" && addressType !== "IPv6")) return [];
      return (endpoints ?? []).flatMap(({ addresses }) =>
        addresses.slice(0, 1).map((address) => urlOf(address, number)),
      );
    });
    return [...new Set(urls)].sort();
  }
}

function urlOf(address: string, port: number): string {
  return new URL(`https://${address.includes(":") ? `[${address}]` : address}:${port}`).origin;
}
