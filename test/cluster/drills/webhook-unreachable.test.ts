/** The apiserver can't reach the webhooks while everything changes: writes go on, and the LIST finds what was missed. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KubeObject, until } from "../api.ts";
import { askEntrance } from "../installed.ts";
import { ingress, namespace, service, web } from "../objects.ts";
import { Silent } from "../silent.ts";
import { World } from "../world.ts";
import { application, counter, isFull, outcome, stopwatch, trafficTo } from "./drill.ts";

let world: World;
const within = "unreachable";
const host = "unreachable.example";
/** A LIST every five minutes, as it is by default; every ten seconds for the short drill. */
const listSeconds = isFull ? 300 : 10;
const awayMs = isFull ? 600_000 : 25_000;
const changeEveryMs = isFull ? 2_000 : 500;
/** So many routes that were served before go meanwhile, and as many move: few enough for one LIST to be believed. */
const old = 20;
const oldEvery = isFull ? 10 : 2;
/** With so many of those the pods of a Service are replaced once. */
const podsEvery = 5;
/** As the page for that day says: so long a write waits for who takes the call and never answers. */
const patienceMs = { route: 3_000, slice: 1_000 };
/** And so long it takes by itself at most; a slice that waited as a route does would take longer than both together. */
const writeMs = 2_000;
const tries = 3;

interface Webhook {
  readonly clientConfig: { readonly service: object; readonly caBundle: string };
}

/** Who knows that the last one is called elsewhere knows it of both. */
const configurations = ["entrance-endpointslices", "entrance"].map((name) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
}));
/** As they were installed. */
const webhooks = new Map<KubeObject, readonly Webhook[]>();

beforeAll(async () => {
  world = await World.start({ ENTRANCE_LIST_SECONDS: String(listSeconds) });
  for (const each of configurations) {
    webhooks.set(each, ((await world.api.get(each))?.["webhooks"] ?? []) as readonly Webhook[]);
  }
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
  await world.apply(web(within, "replaced", 1), service(within, "replaced"));
});

afterAll(() => world?.stop());

/** A configuration that changes is called on new connections, so that it takes effect at once. */
async function callAt(place: (clientConfig: Webhook["clientConfig"]) => object): Promise<void> {
  for (const [configuration, all] of webhooks) {
    const changed = all.map((webhook) => ({ ...webhook, clientConfig: place(webhook.clientConfig) }));
    await world.api.merge(configuration, { webhooks: changed });
  }
}

const reviews = () => counter(world, "entrance_reviews_total");

/** The apiserver takes a moment to know where it calls. */
async function reviewsCome(doCome: boolean): Promise<void> {
  await until(doCome ? "reviews come again" : "no review comes", async () => {
    const before = await reviews();
    await world.api.merge(namespace(within), { metadata: { labels: { at: String(Date.now()) } } });
    return (await reviews()) > before === doCome;
  });
}

/** By the apiserver's own count. */
async function passedUnheard(): Promise<number> {
  const { json } = await world.api.ask("GET", "/metrics");
  const counts = String(json).matchAll(/^apiserver_admission_webhook_fail_open_count\{\S*entrance\.dev\S*\} (\S+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** What is written, how long that takes, and where it leads then. */
class Written {
  /** By the name of the route; undefined: it is gone. */
  readonly leadsTo = new Map<string, string | undefined>();
  slowestMs = 0;

  async put(name: string, to: string): Promise<void> {
    await this.#timed(() => world.apply(ingress(within, name, `${name}.unreachable.example`, { to })));
    this.leadsTo.set(name, to);
  }

  async remove(name: string): Promise<void> {
    await this.#timed(() => world.api.delete(ingress(within, name, "")));
    this.leadsTo.set(name, undefined);
  }

  async isServed(): Promise<boolean> {
    for (const [name, to] of this.leadsTo) {
      const { status, headers } = await world.node.get(`${name}.unreachable.example`);
      const isAsWritten = to === undefined ? status === 404 : String(headers["x-pod"]).startsWith(`${to}-`);
      if (!isAsWritten) return false;
    }
    return true;
  }

  async #timed(write: () => Promise<unknown>): Promise<void> {
    const begun = performance.now();
    await write();
    this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
  }
}

async function pods(): Promise<string[]> {
  const { items } = await world.api.list(`/api/v1/namespaces/${within}/pods?labelSelector=app%3Dreplaced`);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
}

test("no webhook while routes come, move and go, and pods are replaced", { timeout: 1_800_000 }, async () => {
  const written = new Written();
  await written.put("replaced", "replaced");
  for (let route = 0; route < old; route += 1) {
    await written.put(`goes-${route}`, "web");
    await written.put(`moves-${route}`, "web");
  }
  await until("all of before is served", () => written.isServed());
  const firstPods = await pods();
  const traffic = trafficTo(world, host);
  // No such port.
  await callAt(({ service: at, ...rest }) => ({ ...rest, service: { ...at, port: 444 } }));
  await reviewsCome(false);
  const [reviewed, unheard] = [await reviews(), await passedUnheard()];
  written.slowestMs = 0;
  let round = 0;
  for (const end = Date.now() + awayMs; Date.now() < end; await sleep(changeEveryMs)) {
    await written.put(`comes-${round}`, "web");
    if (round % 3 === 2) await written.remove(`comes-${round - 2}`);
    const route = round / oldEvery;
    if (Number.isInteger(route) && route < old) {
      await written.remove(`goes-${route}`);
      await written.put(`moves-${route}`, "two");
      if (route % podsEvery === 0) await world.kubectl("-n", within, "delete", "pods", "-l", "app=replaced");
    }
    round += 1;
  }
  const since = stopwatch();
  await until("everything is as it was written", () => written.isServed(), (listSeconds + 60) * 1_000);
  await until("new pods answer", async () => {
    const now = await pods();
    const answered = await world.pods("replaced.unreachable.example", 2 * now.length);
    return now.length === 1 && [...answered].join() === now[0];
  });
  const found = since();
  const [address = ""] = await world.installed.addresses();
  const heard = /last review: (\d+) s ago/.exec(String(await askEntrance(address, "/readyz")))?.[1];
  expect(await pods()).not.toEqual(firstPods);
  expect(await reviews()).toBe(reviewed);
  expect(await passedUnheard()).toBeGreaterThan(unheard + round);
  expect(written.slowestMs).toBeLessThan(patienceMs.route + writeMs);

  await callAt((clientConfig) => clientConfig);
  await reviewsCome(true);
  const back = stopwatch();
  await world.apply(ingress(within, "back", "back.unreachable.example", { to: "web" }));
  await world.answers("back.unreachable.example", 200);
  const counted = await traffic.stop();
  outcome(
    "webhook unreachable",
    `${round} routes came within ${awayMs / 1_000} s, and old ones moved and went; no write was slower than ` +
      `${Math.round(written.slowestMs)} ms; ${found} after the last one a LIST had found all (one every ${listSeconds} s), ` +
      `/readyz said that the last review was ${heard} s ago; with the webhook back a new route took ${back()}`,
    counted,
  );
  expect(counted.wrong).toEqual([]);
  expect(Number(heard)).toBeGreaterThanOrEqual(Math.floor(awayMs / 1_000));
});

test("calls that are taken and never answered", { timeout: 300_000 }, async () => {
  const silent = await Silent.start();
  const traffic = trafficTo(world, host);
  await callAt(({ caBundle }) => ({ caBundle, url: silent.url }));
  await reviewsCome(false);
  const before = silent.calls;
  const slowest = { route: 0, slice: 0 };
  const timed = async (what: keyof typeof slowest, write: () => Promise<unknown>) => {
    const begun = performance.now();
    await write();
    slowest[what] = Math.max(slowest[what], performance.now() - begun);
  };
  const slice = (name: string): KubeObject => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: within, labels: { "kubernetes.io/service-name": "nobody" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.10.200.1"] }],
    ports: [{ name: "main", port: 8080 }],
  });
  for (let number = 0; number < tries; number += 1) {
    const route = ingress(within, `silent-${number}`, `silent-${number}.unreachable.example`, { to: "web" });
    await timed("route", () => world.apply(route));
    await timed("slice", () => world.apply(slice(`silent-${number}`)));
  }
  const calls = silent.calls - before;
  await callAt((clientConfig) => clientConfig);
  await reviewsCome(true);
  const counted = await traffic.stop();
  await silent.stop();
  const said = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  outcome(
    "webhook without an answer",
    `${calls} calls were taken and never answered; no write of a route took longer than ${said(slowest.route)}, and none ` +
      `of an EndpointSlice longer than ${said(slowest.slice)}`,
    counted,
  );
  expect(counted.wrong).toEqual([]);
  // Each write has waited.
  expect(calls).toBeGreaterThanOrEqual(2 * tries);
  expect(slowest.route).toBeLessThan(patienceMs.route + writeMs);
  expect(slowest.slice).toBeLessThan(patienceMs.slice + writeMs);
});
