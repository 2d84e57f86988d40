/** Routes that come and go. Each goes from 404 to its application, without a 503 between, and stays until it is taken away. */
import type { Random } from "../../simulate/random.ts";
import type { Cluster } from "./cluster.ts";
import { ingress, service, slice } from "./objects.ts";

const namespace = "fresh";
/** More are not kept at a time. */
const maxRoutes = 40;

export interface FreshRoute {
  readonly name: string;
  readonly host: string;
  /** Nobody has said yet that it goes. */
  isWanted: boolean;
  /** By node: it was served there. */
  readonly servedBy: Set<number>;
}

export class Fresh {
  /** Those that may be served. */
  readonly routes = new Map<string, FreshRoute>();
  /** Every host that there ever was. */
  readonly hosts: string[] = [];
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #ports: readonly number[];
  readonly #over: string[] = [];

  constructor(cluster: Cluster, random: Random, ports: readonly number[]) {
    this.#cluster = cluster;
    this.#random = random;
    this.#ports = ports;
  }

  async change(): Promise<void> {
    if (this.routes.size >= maxRoutes || (this.routes.size > 5 && this.#random.one(2))) return this.#goes();
    return this.#comes();
  }

  /** All that it needs is known before it is asked for. */
  async #comes(): Promise<void> {
    const name = `f${this.hosts.length}`;
    const host = `${name}.fresh.example`;
    this.hosts.push(host);
    await this.#cluster.put(service({ namespace, name }));
    await this.#cluster.put(slice({ namespace, name }, "a", this.#random.pick(this.#ports)));
    this.routes.set(host, { name, host, isWanted: true, servedBy: new Set() });
    await this.#cluster.put(ingress({ namespace, name }, { host, paths: { "/": name } }));
  }

  /** Its Service stays: members that go are not waited for. */
  async #goes(): Promise<void> {
    const wanted = [...this.routes.values()].filter(({ name, isWanted }) => {
      return isWanted && this.#cluster.objects.has(`Ingress/${namespace}/${name}`);
    });
    if (wanted.length === 0) return;
    const route = this.#random.pick(wanted);
    route.isWanted = false;
    if (await this.#cluster.delete(`Ingress/${namespace}/${route.name}`)) this.#over.push(route.name);
    else route.isWanted = true;
  }

  /** While all is quiet: what nobody needs any more goes. */
  async clear(): Promise<void> {
    const works = this.#over.splice(0).flatMap((name) => {
      this.routes.delete(`${name}.fresh.example`);
      return [`EndpointSlice/${namespace}/${name}-a`, `Service/${namespace}/${name}`];
    });
    await Promise.all(works.map((key) => this.#cluster.delete(key)));
  }
}
