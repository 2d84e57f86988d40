/** Objects of two tenants that compete for the same hosts, lead to what may not be there, and come and go. */
import type { Pair } from "../../harness/certificate.ts";
import type { Random } from "../../simulate/random.ts";
import type { Cluster } from "./cluster.ts";
import { ingress, service, slice, tlsSecret } from "./objects.ts";

const namespaces = ["one", "two"];
const services = ["s0", "s1", "s2", "s3"];
const ingresses = ["i0", "i1", "i2", "i3", "i4", "i5"];
export const wildNames = ["*.wild.example"];
export const wildHosts = ["h0", "h1", "h2", "h3", "h4"].map((name) => `${name}.wild.example`);
const redirects = ["true", "false"];

export class Wild {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #ports: readonly number[];
  readonly #pairs: readonly Pair[];
  /** A name is used once: without an API nothing but reviews tells of Secrets, and those of births have no version. */
  readonly #secrets = new Map<string, number>();

  constructor(cluster: Cluster, random: Random, ports: readonly number[], pairs: readonly Pair[]) {
    this.#cluster = cluster;
    this.#random = random;
    this.#ports = ports;
    this.#pairs = pairs;
  }

  change(): Promise<boolean> {
    const random = this.#random;
    const namespace = random.pick(namespaces);
    switch (random.below(10)) {
      case 0:
      case 1:
        return this.#service({ namespace, name: random.pick(services) });
      case 2:
      case 3: {
        const port = random.one(4) ? undefined : random.pick(this.#ports);
        return this.#cluster.put(slice({ namespace, name: random.pick(services) }, random.pick(["a", "b"]), port));
      }
      case 4:
        return this.#cluster.put(tlsSecret({ namespace, name: this.#secretOf(namespace) }, random.pick(this.#pairs)));
      case 5:
        return this.#deletion(namespace);
      default:
        return this.#ingress({ namespace, name: random.pick(ingresses) });
    }
  }

  #service(named: { namespace: string; name: string }): Promise<boolean> {
    const host = this.#random.pick(wildHosts);
    return this.#cluster.put(service(named, this.#random.one(2) ? { http: `${host}/by-service` } : {}));
  }

  #ingress(named: { namespace: string; name: string }): Promise<boolean> {
    const random = this.#random;
    const paths = { "/": random.pick(services), ...(random.one(2) ? { "/x": random.pick(services) } : {}) };
    const secret = random.one(2) ? { secret: this.#secretOf(named.namespace) } : {};
    const annotations: Record<string, string> = random.one(3) ? { "redirect-https": random.pick(redirects) } : {};
    return this.#cluster.put(ingress(named, { host: random.pick(wildHosts), paths, annotations, ...secret }));
  }

  async #deletion(namespace: string): Promise<boolean> {
    const random = this.#random;
    const kind = random.below(4);
    if (kind === 0) return this.#cluster.delete(`Service/${namespace}/${random.pick(services)}`);
    if (kind === 1) return this.#cluster.delete(`EndpointSlice/${namespace}/${random.pick(services)}-a`);
    if (kind === 2) return this.#cluster.delete(`Ingress/${namespace}/${random.pick(ingresses)}`);
    const secret = this.#secretOf(namespace);
    this.#secrets.set(namespace, (this.#secrets.get(namespace) ?? 0) + 1);
    return this.#cluster.delete(`Secret/${namespace}/${secret}`);
  }

  #secretOf(namespace: string): string {
    return `tls-${this.#secrets.get(namespace) ?? 0}`;
  }
}
