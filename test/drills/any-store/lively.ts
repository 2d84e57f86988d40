/** Routes whose objects change all the time, and that are there all the while: no answer of theirs may be another than 200. */
import type { Pair } from "../../harness/certificate.ts";
import type { Random } from "../../simulate/random.ts";
import type { Cluster } from "./cluster.ts";
import { ingress, service, slice, tlsSecret } from "./objects.ts";

const namespace = "lively";
export const livelyNames = ["*.lively.example"];
const places = [0, 1, 2, 3, 4, 5];
const sides = ["x", "y"];
const secrets = ["first-tls", "second-tls"];
export const livelyHosts = places.map((place) => `l${place}.lively.example`);

const ofRoutes: readonly (readonly [string, string])[] = [
  ["request-timeout", "30s"],
  ["body-limit", "10m"],
  ["response-headers", "X-Changed: yes"],
  ["gzip", "true"],
  ["retries", "2"],
  ["hsts", "60"],
];
const ofMembers: readonly (readonly [string, string])[] = [
  ["balance", "least-connections"],
  ["balance", "hash:source"],
  ["slow-start", "1s"],
  ["max-failures", "5"],
  ["affinity", "cookie"],
];

export class Lively {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #ports: readonly number[];
  readonly #pairs: readonly Pair[];

  constructor(cluster: Cluster, random: Random, ports: readonly number[], pairs: readonly Pair[]) {
    this.#cluster = cluster;
    this.#random = random;
    this.#ports = ports;
    this.#pairs = pairs;
  }

  /** Resolves when all of it is acknowledged. */
  async establish(): Promise<void> {
    await Promise.all(secrets.map((name) => this.#secret(name)));
    const works = places.map(async (place) => {
      for (const side of sides) {
        await this.#service(place, side);
        await this.#cluster.put(slice(named(place, side), "kept", this.#random.pick(this.#ports)));
      }
      await this.#ingress(place);
    });
    await Promise.all(works);
  }

  /** Some change after which it can be served as well. */
  change(): Promise<boolean> {
    const place = this.#random.pick(places);
    const side = this.#random.pick(sides);
    switch (this.#random.below(8)) {
      case 0:
        return this.#secret(this.#random.pick(secrets));
      case 1:
        return this.#service(place, side);
      case 2:
      case 3:
        return this.#cluster.put(slice(named(place, side), "kept", this.#random.pick(this.#ports)));
      case 4: {
        const port = this.#random.one(3) ? undefined : this.#random.pick(this.#ports);
        return this.#cluster.put(slice(named(place, side), "more", port));
      }
      case 5:
        return this.#cluster.delete(`EndpointSlice/${namespace}/${named(place, side).name}-more`);
      default:
        return this.#ingress(place);
    }
  }

  #secret(name: string): Promise<boolean> {
    return this.#cluster.put(tlsSecret({ namespace, name }, this.#random.pick(this.#pairs)));
  }

  #service(place: number, side: string): Promise<boolean> {
    const annotations = Object.fromEntries(this.#random.some(ofMembers));
    return this.#cluster.put(service(named(place, side), annotations));
  }

  #ingress(place: number): Promise<boolean> {
    const to = () => named(place, this.#random.pick(sides)).name;
    const paths = { "/": to(), ...(this.#random.one(2) ? { "/x": to() } : {}) };
    const annotations = { "redirect-https": "false", ...Object.fromEntries(this.#random.some(ofRoutes)) };
    const host = livelyHosts[place] ?? "";
    const routes = { host, paths, annotations, secret: this.#random.pick(secrets) };
    return this.#cluster.put(ingress({ namespace, name: `l${place}` }, routes));
  }
}

function named(place: number, side: string) {
  return { namespace, name: `l${place}${side}` };
}
