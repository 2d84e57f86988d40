import { expect, test } from "vitest";
import { EntranceError } from "../../shared/model/error.ts";
import {
  dirtyPartition,
  headKey,
  laterKey,
  laterPartition,
  lockKey,
  logPartition,
} from "../../shared/reconcile/keys.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { translate } from "../../shared/translate/translate.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

test("a lock that was extended is free at once when its turn ends early", async () => {
  const plain = openMemoryStore();
  let away = false;
  const store: Store = {
    ...plain,
    commit: async (checks, writes) => {
      if (away && writes.some(({ key }) => key.partition.startsWith("want/"))) {
        throw new EntranceError("unavailable", "the store is away");
      }
      return plain.commit(checks, writes);
    },
  };
  const test = newTestEntrance({
    store,
    translate: (subject, settings) => {
      test.clock += 6_000;
      away = true;
      return translate(subject, settings);
    },
  });
  await test.entrance.observe([observed(seenService("shop", "a"), 1), observed(seenService("shop", "b"), 1)]);
  await test.host.settled();
  expect(test.warnings).toHaveLength(1);
  expect(JSON.parse((await plain.get(lockKey))?.value ?? "{}").holder).toBe("");
});

test("an object that is due is tried again, however many others wait", async () => {
  const test = newTestEntrance();
  const { store } = test.context;
  const value = JSON.stringify({ first: 0, tries: 9, due: test.clock + 300_000 });
  for (let index = 0; index < 1_100; index += 1) {
    const reference = { kind: "Ingress" as const, namespace: "shop", name: `i${index}` };
    await store.commit([], [{ key: laterKey(reference), value }]);
  }
  const due = { kind: "Service" as const, namespace: "shop", name: "web" };
  await store.commit([], [{ key: laterKey(due), value: JSON.stringify({ first: 0, tries: 1, due: test.clock }) }]);
  await test.entrance.tick();
  expect(await store.get(laterKey(due))).toBeUndefined();
  expect((await store.list(laterPartition, undefined, 1)).entries).toHaveLength(1);
  expect((await store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
});

test("a pool of connections becomes one of requests when an Ingress leads there, whoever comes first", async () => {
  const both = seenService("shop", "web", { annotations: { tcp: "9000:80" } });
  const ingress = seenIngress("shop", "web", ["www.shop.example"], "web");
  for (const order of [
    [both, ingress],
    [ingress, both],
  ] as const) {
    const test = newTestEntrance();
    for (const object of order) {
      await test.entrance.observe([observed(object, 1)]);
      await test.host.settled();
    }
    expect(test.node().resources.get("Pool/shop/web/80")?.value).toMatchObject({ protocol: "http" });
  }
});

test("a revision with more keys than can be named reaches who was away as a whole", async () => {
  const label = "l".repeat(61);
  const host = `${label}.${label}.${label}.${label}`;
  const paths = Array.from({ length: 1_000 }, (_, index) => ({
    path: `/${index}`,
    pathType: "Prefix" as const,
    backend: { service: "web", port: 80 },
  }));
  const large = { ...seenIngress("shop", host, [], "web"), rules: [{ host, paths }] };
  const test = newTestEntrance();
  await test.entrance.observe([
    observed(seenService("shop", "web"), 1),
    observed(seenSlice("shop", "web", ["10.0.0.1"]), 1),
    observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 1),
  ]);
  await test.host.settled();
  test.node().reachable = false;
  await test.entrance.observe([observed(large, 2)]);
  await test.host.settled();
  test.node().reachable = true;
  const { store } = test.context;
  const [last] = (await store.list(logPartition("openresty"), undefined, 1_000)).entries.slice(-1);
  expect(last?.value).toBe('{"changed":null}');
  const other = newTestEntrance({ store, nodes: test.nodes });
  await other.entrance.tick();
  expect(test.node().accepted.at(-1)?.type).toBe("snapshot");
  expect(JSON.parse((await store.get(headKey("openresty")))?.value ?? "{}").digest).toBe(test.node().state.digest);
});
