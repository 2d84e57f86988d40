/** A backup of before Entrance's first start has neither heads nor rules, and whoever is at work starts no more. */
import { expect, test } from "vitest";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey, rulesKey } from "../../shared/reconcile/keys.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { observed, seenIngress } from "../harness/seen.ts";

/** `goBack`: to before anything was written. */
function restorable(): { store: Store; goBack: () => void } {
  let now = openMemoryStore();
  const store: Store = {
    get: (key) => now.get(key),
    list: (partition, after, limit) => now.list(partition, after, limit),
    commit: (checks, writes) => now.commit(checks, writes),
    close: () => now.close(),
  };
  return {
    store,
    goBack: () => {
      now = openMemoryStore();
    },
  };
}

test("heads and rules are there again with the next tick, and a fresh node hears that nothing is wanted", async () => {
  const { store, goBack } = restorable();
  const test = newTestEntrance({ store });
  test.node().reachable = false;
  await test.entrance.tick();
  goBack();
  test.node().reachable = true;
  test.clock += 5_000;
  await test.entrance.tick();
  await test.host.settled();
  const head = readHead(await store.get(headKey("openresty")));
  expect(head).toMatchObject({ revision: 0, complete: true });
  expect(test.node().state.store).toBe(head?.store);
  test.clock += 5_000;
  await test.entrance.tick();
  expect(await store.get(rulesKey)).toBeDefined();
});

test("with an API, what a turn wants before the first whole LIST is kept back", async () => {
  const { store, goBack } = restorable();
  const cluster = new ListedCluster();
  const test = newTestEntrance({ store, kubernetes: cluster });
  await test.entrance.tick();
  await test.host.settled();
  goBack();
  cluster.isAway = true;
  const known = test.node().accepted.length;
  await test.entrance.observe([observed(seenIngress("shop", "web", ["web.example"], "web"), 200)]);
  await test.host.settled();
  expect(readHead(await store.get(headKey("openresty")))).toMatchObject({ revision: 1, complete: false });
  expect(test.node().accepted).toHaveLength(known);
});
