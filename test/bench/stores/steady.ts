/** 20 changes a second, for minutes, told to two copies in turn on etcd: each from the door until a node serves it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Stores } from "../../harness/every-store.ts";
import { Connection } from "../connection.ts";
import { quantile, rounded } from "../statistics.ts";
import { Field, isOk } from "./field.ts";
import { hostOf, ingressOf, serviceOf } from "./routes.ts";

const perSecond = 20;
const maxRoutes = 400;
const copies = 2;
const pollMs = 1;
/** A change that is not served by then is lost; the same route is changed again after 20 s. */
const lostAfterMs = 15_000;
/** As many changes are on their way to be served at most. */
const clients = 64;

export interface SteadyFigures {
  readonly changes: number;
  readonly lost: number;
  readonly p99Ms: number;
}

/** Each change sends a route to the other backend: its slice has another port. Every node is looked at in the end. */
export async function benchSteady(
  stores: Stores,
  minutes: number,
  say: (line: string) => void,
): Promise<SteadyFigures> {
  const total = Math.round(minutes * 60 * perSecond);
  const routes = Math.min(maxRoutes, total);
  await using field = await Field.start(await stores.place("etcd"), copies);
  // A Service for each route, so that each change is one route's.
  const numbers = Array.from({ length: routes }, (_, index) => index * 10);
  await field.tell(numbers.flatMap((route) => serviceOf(route, field.backends[0].port)));
  await field.tell(numbers.map((route) => ingressOf(route)));
  await field.served(numbers.map(hostOf), isOk);
  const [node] = field.nodes;
  if (node === undefined) throw new Error("no node");
  const idle = await Promise.all(Array.from({ length: clients }, () => Connection.open(node.ports.http)));
  const times: number[] = [];
  const last = new Map<number, string>();
  const running = new Set<Promise<void>>();
  let lost = 0;
  const begun = performance.now();
  for (let change = 0; change < total; change += 1) {
    if (change % (perSecond * 30) === 0) say(`20 changes a second: ${change} of ${total}`);
    const route = numbers[change % routes] ?? 0;
    const backend = field.backends[1 - (Math.floor(change / routes) % 2)] ?? field.backends[0];
    last.set(route, backend.name);
    const wait = begun + (change * 1_000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    while (idle.length === 0) await Promise.race(running);
    const client = idle.pop() ?? (await Connection.open(node.ports.http));
    const [body = ""] = field.bodiesOf(serviceOf(route, backend.port).slice(1));
    // From when it was due: what makes one late is a part of its time.
    const due = begun + (change * 1_000) / perSecond;
    const done: Promise<void> = changed(field, body, change, client, hostOf(route), backend.name, due)
      .then((ms) => {
        if (ms === undefined) lost += 1;
        else times.push(ms);
      })
      .finally(async () => {
        running.delete(done);
        client.close();
        idle.push(await Connection.open(node.ports.http));
      });
    running.add(done);
  }
  await Promise.all(running);
  for (const client of idle) client.close();
  for (const [route, name] of last) {
    const isThere = await field
      .served([hostOf(route)], ({ text }) => text.includes(`"name":"${name}"`))
      .then(
        () => true,
        () => false,
      );
    if (!isThere) lost += 1;
  }
  return { changes: total, lost, p99Ms: rounded(quantile(times, 0.99), 2) };
}

/** Ms; undefined: it is lost. */
async function changed(
  field: Field,
  body: string,
  copy: number,
  client: Connection,
  host: string,
  backend: string,
  begun: number,
): Promise<number | undefined> {
  await field.send(body, copy);
  for (;;) {
    const { text } = await client.get(host);
    if (text.includes(`"name":"${backend}"`)) return performance.now() - begun;
    if (performance.now() - begun > lostAfterMs) return undefined;
    await sleep(pollMs);
  }
}
