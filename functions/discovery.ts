/** Nodes that are the endpoints of a Service: who they are is asked for beside every tick. */
import * as v from "valibot";
import type { KubernetesObjects } from "../shared/kubernetes/objects.ts";
import type { BalancerConfig, NodeService } from "./config.ts";

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

export class Discovery {
  readonly #objects: KubernetesObjects;
  readonly #balancers: readonly BalancerConfig[];
  readonly #found = new Map<string, readonly string[]>();
  #asking: Promise<boolean> | undefined;

  constructor(objects: KubernetesObjects, balancers: readonly BalancerConfig[]) {
    this.#objects = objects;
    this.#balancers = balancers;
  }

  /** URLs of the nodes' admin APIs: those that are listed, and those that were found last. */
  nodesOf({ name, nodes }: BalancerConfig): readonly string[] {
    return [...nodes, ...(this.#found.get(name) ?? [])];
  }

  /** Whether there are nodes that were not there before. What can't be asked for stays as it was. Never rejects. */
  refresh(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const areNew = await Promise.all(
      this.#balancers.map(async ({ name, service }) => {
        if (service === undefined) return false;
        const before = this.#found.get(name) ?? [];
        try {
          const found = await this.#find(service);
          this.#found.set(name, found);
          return found.some((node) => !before.includes(node));
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          console.warn(`entrance: the nodes of balancer ${name} cannot be asked for: ${reason}`);
          return false;
        }
      }),
    );
    return areNew.includes(true);
  }

  /** Ready or not: a node is ready only once it has got its state from us. */
  async #find({ namespace, name, port }: NodeService): Promise<readonly string[]> {
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
