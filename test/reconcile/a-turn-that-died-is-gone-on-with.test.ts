/** Where a holder dies between the claims of an object and its outcome, whoever goes on translates what was claimed of. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance, usualTranslation } from "../harness/entrance.ts";
import { modelPlugin, newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, wantsOf, watchedStore } from "../harness/served.ts";

/** More than one commit takes: the claims land before the outcome. */
const services = Array.from({ length: 14 }, (_, index) => `s${String(index).padStart(2, "0")}`);
const paths = services.map((service) => ({
  path: `/${service}`,
  pathType: "Prefix" as const,
  backend: { service, port: 80 },
}));
const ingress = seenIngress("shop", "all", [], "", { rules: [{ host: "www.shop.example", paths }] });

/** Its owner dies with the commit of this number that changes wants: it never hears of it, nor does anything more. */
function dyingStore(store: Store, commits: number): Store {
  let left = commits;
  const alive = <T>(work: () => Promise<T>): Promise<T> => (left > 0 ? work() : new Promise(() => undefined));
  return {
    get: (key) => alive(() => store.get(key)),
    list: (partition, after, limit) => alive(() => store.list(partition, after, limit)),
    commit: (checks, writes) =>
      alive(async () => {
        const result = await store.commit(checks, writes);
        if (writes.some(({ key }) => key.partition.startsWith("want/"))) left -= 1;
        return alive(async () => result);
      }),
    close: () => store.close(),
  };
}

test("a rule never goes out before the pools that a dead holder was to make", async () => {
  for (let commits = 1; commits <= 6; commits += 1) {
    const store = openMemoryStore();
    const first = newTestEntrance({ store, instance: "first" });
    const backends = services.flatMap((name) => [
      observed(seenService("shop", name), 5),
      observed(seenSlice("shop", name, ["10.0.0.1"]), 6),
    ]);
    await first.entrance.observe(backends);
    await first.host.settled();

    const dying = newTestEntrance({ store: dyingStore(store, commits), instance: "dying" });
    await dying.entrance.observe([observed(ingress, 7)]);
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);

    const wrong: string[] = [];
    const watched = watchedStore(store, (wants) => wrong.push(...dangling(wants, "members")));
    const next = newTestEntrance({ store: watched, instance: "next", startMs: first.clock + 60_000 });
    await next.entrance.tick();
    await next.host.settled();
    expect(wrong, `died after ${commits} commits`).toEqual([]);
    const rules = Object.keys((await wantsOf(store)).get("Ingress/shop/all")?.resources["openresty"] ?? {});
    expect(rules).toHaveLength(services.length);
  }
});

test("what an object claimed before its holder died, and claims no more, is taken back", async () => {
  const hosts = Array.from({ length: 40 }, (_, index) => `h${index}.shop.example`);
  const ingressOf = (name: string, className: string) =>
    seenIngress("shop", name, [], "", { className, rules: hosts.map((host) => ({ host, paths: paths.slice(0, 1) })) });
  const named = ["one", "two"].map((name) => ({ name, classes: [name] }));
  const nodes = new Map(named.map(({ name }) => [`http://${name}`, newModelNode()]));
  const plugin = modelPlugin(nodes);
  const balancers = named.map((balancer) => ({
    ...balancer,
    plugin,
    nodes: [`http://${balancer.name}`],
    addresses: [],
  }));
  const options = { nodes, balancers, translation: { ...usualTranslation, balancers: named } };
  for (let commits = 1; commits <= 6; commits += 1) {
    const store = openMemoryStore();
    const first = newTestEntrance({ ...options, store, instance: "first" });
    await first.entrance.observe([observed(ingressOf("other", "two"), 6)]);
    await first.host.settled();

    const dying = newTestEntrance({ ...options, store: dyingStore(store, commits), instance: "dying" });
    await dying.entrance.observe([observed(ingressOf("all", "one"), 7)]);
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);

    const next = newTestEntrance({ ...options, store, instance: "next", startMs: first.clock + 60_000 });
    await next.entrance.observe([observed(ingressOf("all", "two"), 8)]);
    // The first one completes the heads beside the turn, which begins anew with the second.
    for (let tick = 0; tick < 2; tick += 1) {
      await next.entrance.tick();
      await next.host.settled();
    }
    const wants = await wantsOf(store);
    const left = hosts.filter((host) => Object.keys(wants.get(`Domain//${host}`)?.resources ?? {}).join() !== "two");
    expect(left, `died after ${commits} commits`).toEqual([]);
  }
});
