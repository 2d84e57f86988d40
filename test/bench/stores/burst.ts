/** 1,000 Ingresses at once, from the first request to the door until each of three real nodes serves all of them. */

import { type StoreName, type Stores, storeNames } from "../../harness/every-store.ts";
import { allServed } from "../all-served.ts";
import { median, rounded } from "../statistics.ts";
import { Field } from "./field.ts";
import { hostOf, ingressOf, serviceOf } from "./routes.ts";

const ingresses = 1_000;
const bursts = 3;

/** Seconds. The stores take their turns, so that a machine that gets slower gets slower for all. */
export async function benchBurst(stores: Stores, say: (line: string) => void): Promise<Record<StoreName, number>> {
  const fields = new Map<StoreName, Field>();
  const seconds: Record<StoreName, number[]> = { embedded: [], etcd: [], dynamodb: [] };
  try {
    for (const name of storeNames) fields.set(name, await Field.start(await stores.place(name), 1));
    for (let burst = 0; burst < bursts; burst += 1) {
      for (const [name, field] of fields) {
        say(`${ingresses} Ingresses at once on ${name}, ${burst + 1} of ${bursts}`);
        seconds[name].push(await burstOn(field, burst * ingresses));
      }
    }
  } finally {
    for (const field of fields.values()) await field[Symbol.asyncDispose]();
  }
  const [embedded, etcd, dynamodb] = storeNames.map((name) => rounded(median(seconds[name])));
  return { embedded: embedded ?? Number.NaN, etcd: etcd ?? Number.NaN, dynamodb: dynamodb ?? Number.NaN };
}

async function burstOn(field: Field, first: number): Promise<number> {
  const routes = Array.from({ length: ingresses }, (_, index) => first + index);
  await field.tell(
    routes.filter((route) => route % 10 === 0).flatMap((route) => serviceOf(route, field.backends[0].port)),
  );
  await field.rested();
  const bodies = field.bodiesOf(routes.map((route) => ingressOf(route)));
  const begun = performance.now();
  await Promise.all(bodies.map((body) => field.send(body)));
  const hosts = routes.map(hostOf);
  await Promise.all(field.nodes.map((node) => allServed(node.ports.http, hosts)));
  return (performance.now() - begun) / 1_000;
}
