/** Copies with different rules on one store: the newer ones count, and older ones commit nothing. */
import { expect, test } from "vitest";
import { dirtyPartition, rulesKey } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance, usualTranslation } from "../harness/entrance.ts";
import { observed, seenService } from "../harness/seen.ts";

const route = (host: string) => observed(seenService("shop", host, { annotations: { http: host } }), 5);
const rainbond = observed(seenService("shop", "r", { labels: { domain: "r.example" }, selectorName: "r" }), 5);
const newer = { ...usualTranslation, httpSuffix: "apps.example" };

test("a copy with newer settings translates everything anew, and the older one commits nothing from then on", async () => {
  const store = openMemoryStore();
  const old = newTestEntrance({ store, instance: "old", generation: 1 });
  await old.entrance.observe([rainbond]);
  await old.host.settled();
  const next = newTestEntrance({ store, instance: "next", generation: 2, translation: newer });
  await next.entrance.tick();
  await next.host.settled();
  expect(JSON.parse((await store.get(rulesKey))?.value ?? "")).toMatchObject({ generation: 2, marked: true });

  await old.entrance.observe([route("a.example")]).catch(() => undefined);
  await old.host.settled();
  expect((await listAll(store, dirtyPartition)).map(({ key }) => key.sort)).toEqual(["Service/shop/a.example"]);
  next.clock += 20_000;
  await next.entrance.tick();
  await next.host.settled();
  expect(await listAll(store, dirtyPartition)).toEqual([]);
  expect([...next.node().resources.keys()]).toContain("Rule/a.example/Service/shop/a.example/0");
});

test("of one generation and with other settings a copy refuses, and says what to change", async () => {
  const store = openMemoryStore();
  await newTestEntrance({ store, instance: "one" }).entrance.tick();
  const other = newTestEntrance({ store, instance: "other", translation: newer });
  await expect(other.entrance.tick()).rejects.toThrow("raise ENTRANCE_GENERATION");
});

test("who is alone with its store just goes by its settings", async () => {
  const store = openMemoryStore();
  await newTestEntrance({ store, isSoleWriter: true }).entrance.tick();
  await newTestEntrance({ store, isSoleWriter: true, translation: newer }).entrance.tick();
});

test("whoever died while everything was being marked is followed", async () => {
  const store = openMemoryStore();
  const old = newTestEntrance({ store, instance: "old", generation: 1 });
  await old.entrance.observe([route("a.example")]);
  await old.host.settled();
  const dying = newTestEntrance({ store, instance: "dying", generation: 2, translation: newer });
  // It takes the place of the rules with its first request, and marks with its first tick.
  await dying.entrance.observe([route("b.example")]);
  await dying.host.settled();
  expect(JSON.parse((await store.get(rulesKey))?.value ?? "")).toMatchObject({ generation: 2, marked: false });
  const next = newTestEntrance({ store, instance: "next", generation: 2, translation: newer });
  await next.entrance.tick();
  await next.host.settled();
  expect(JSON.parse((await store.get(rulesKey))?.value ?? "")).toMatchObject({ marked: true });
});
