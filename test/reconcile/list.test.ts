/** The LIST: what no webhook told is found, what is gone goes, and nothing that is doubtful is believed at once. */
import { expect, test } from "vitest";
import type { SeenReference } from "../../shared/model/observation.ts";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey, refusedPartition, seenKey, tickKey } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { readSeen } from "../../shared/reconcile/seen.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { countedStore } from "../harness/counted-store.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { gone, observed, seenService } from "../harness/seen.ts";

const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }];
const service = (name: string): SeenReference => ({ kind: "Service", namespace: "shop", name });
const ruleOf = (host: string, name: string) => `Rule/${host}/Service/shop/${name}/0`;

/** With a route for each name, by annotation. */
function put(cluster: ListedCluster, name: string, host = `${name}.example`): number {
  return cluster.put(service(name), { spec: { ports } }, { "entrance.dev/http": host });
}

async function tickAt(test: TestEntrance, ms: number): Promise<void> {
  test.clock += ms;
  await test.entrance.tick();
  await test.host.settled();
}

function started(cluster: ListedCluster, options: Parameters<typeof newTestEntrance>[0] = {}): TestEntrance {
  return newTestEntrance({ kubernetes: cluster, ...options });
}

const keysOn = (test: TestEntrance) => [...test.node().resources.keys()];

test("nothing is pushed before the first whole LIST is translated; then all of it is", async () => {
  const cluster = new ListedCluster();
  put(cluster, "web");
  cluster.isAway = true;
  const test = started(cluster);
  await test.entrance.observe([observed(seenService("shop", "other", { annotations: { http: "b.example" } }), 50)]);
  await tickAt(test, 0);
  expect(test.node().state.store).toBe("");
  cluster.isAway = false;
  await tickAt(test, 11_000);
  expect(readHead(await test.context.store.get(headKey("openresty")))?.complete).toBe(true);
  expect(keysOn(test)).toContain(ruleOf("web.example", "web"));
  // It was told, and the LIST did not have it.
  expect(keysOn(test)).not.toContain(ruleOf("b.example", "other"));
});

test("each commit of the first LIST moves its record on, so that none of it is missing in a store where it ends", async () => {
  const cluster = new ListedCluster();
  const test = started(cluster);
  const { store } = test.context;
  const { list } = cluster.api;
  const last = async () => (await store.get(tickKey("list")))?.version;
  const versions: unknown[] = [];
  cluster.api.list = async (kind, ...rest) => {
    versions.push(`${await last()} before ${kind}`);
    return list(kind, ...rest);
  };
  for (const name of ["a", "b"]) put(cluster, name);
  cluster.put({ kind: "Ingress", namespace: "shop", name: "c" }, { spec: {} });
  await tickAt(test, 0);
  const claimed = versions.find((each) => String(each).endsWith("Service"));
  const recorded = versions.find((each) => String(each).endsWith("EndpointSlice"));
  expect(String(recorded).split(" ")[0]).not.toBe(String(claimed).split(" ")[0]);
  // Somebody has begun it anew meanwhile.
  cluster.api.list = async (kind, ...rest) => {
    if (kind === "Ingress") await store.commit([], [{ key: tickKey("list"), value: '{"due":0,"finished":0}' }]);
    return list(kind, ...rest);
  };
  await store.commit([], [{ key: tickKey("list"), value: '{"due":0,"finished":0}' }]);
  cluster.put({ kind: "Ingress", namespace: "shop", name: "d" }, { spec: {} });
  await tickAt(test, 5_000);
  expect(test.warnings.at(-1)).toMatch(/the LIST failed: somebody has begun it anew/);
  expect(await store.get(seenKey({ kind: "Ingress", namespace: "shop", name: "d" }))).toBeUndefined();
});

test("an unchanged LIST writes nothing but when it was, and sends nothing", async () => {
  const cluster = new ListedCluster();
  for (let index = 0; index < 30; index += 1) put(cluster, `web-${index}`);
  const { store, operations } = countedStore(openMemoryStore());
  const test = started(cluster, { store });
  await tickAt(test, 0);
  const { accepted } = test.node();
  const sent = accepted.length;
  operations.length = 0;
  await tickAt(test, 300_000);
  const written = operations.flatMap(({ writes }) => writes);
  expect(written.filter((key) => !key.startsWith("tick/"))).toEqual([]);
  expect(accepted).toHaveLength(sent);
});

test("what was lost is found, counted once a minute has passed, and not where somebody told of it late", async () => {
  const cluster = new ListedCluster();
  put(cluster, "web");
  const test = started(cluster);
  await tickAt(test, 0);
  put(cluster, "lost");
  const late = put(cluster, "late");
  await tickAt(test, 300_000);
  expect(keysOn(test)).toContain(ruleOf("lost.example", "lost"));
  await test.entrance.observe([observed(seenService("shop", "late", { annotations: { http: "late.example" } }), late)]);
  // What changes nothing that is read, our own status say, tells nothing of what was lost.
  const { object } = readSeen(await test.context.store.get(seenKey(service("lost")))) ?? {};
  if (object === undefined) throw new Error("the LIST had it");
  await test.entrance.observe([observed(object, put(cluster, "lost"))]);
  await tickAt(test, 61_000);
  expect(test.counters.all().filter(([name]) => name.startsWith("entrance_lost"))).toEqual([
    ["entrance_lost_events_total", 1],
  ]);
});

test("tombstones go with the LIST, and what comes late of the dead is a hint, never truth", async () => {
  const cluster = new ListedCluster();
  const first = put(cluster, "web");
  const test = started(cluster);
  await tickAt(test, 0);
  cluster.remove(service("web"));
  await test.entrance.observe([gone(seenService("shop", "web"), cluster.version)]);
  await tickAt(test, 300_000);
  expect(await test.context.store.get(seenKey(service("web")))).toBeUndefined();
  await test.entrance.observe([observed(seenService("shop", "web", { annotations: { http: "web.example" } }), first)]);
  await test.host.settled();
  expect(readSeen(await test.context.store.get(seenKey(service("web"))))?.gone ?? true).toBe(true);
  expect(keysOn(test)).not.toContain(ruleOf("web.example", "web"));
});

test("a burial that comes late says nothing of another of that name, which is dead as well", async () => {
  const cluster = new ListedCluster();
  const last = put(cluster, "web");
  const test = started(cluster);
  await tickAt(test, 0);
  cluster.remove(service("web"));
  await tickAt(test, 300_000);
  await tickAt(test, 300_000);
  expect(await test.context.store.get(seenKey(service("web")))).toBeUndefined();
  const late = observed(seenService("shop", "web", { annotations: { http: "web.example" } }), last, "second");
  const buried = { type: "buried", reference: late.reference, uid: "first" } as const;
  await test.entrance.observe([buried, late]);
  await test.host.settled();
  expect(keysOn(test)).not.toContain(ruleOf("web.example", "web"));
  await test.entrance.observe([late]);
  await test.host.settled();
  expect(keysOn(test)).not.toContain(ruleOf("web.example", "web"));
});

test("a LIST that has lost most of it is believed only once another one agrees a minute later", async () => {
  const cluster = new ListedCluster();
  const names = Array.from({ length: 60 }, (_, index) => `web-${index}`);
  for (const name of names) put(cluster, name);
  const test = started(cluster);
  await tickAt(test, 0);
  for (const name of names) cluster.remove(service(name));
  await tickAt(test, 300_000);
  expect(test.warnings.join()).toContain("60 of 60 objects");
  expect(keysOn(test)).toContain(ruleOf("web-0.example", "web-0"));
  await tickAt(test, 30_000);
  expect(keysOn(test)).toContain(ruleOf("web-0.example", "web-0"));
  await tickAt(test, 31_000);
  expect(keysOn(test)).toEqual([]);
});

test("that minute is one of the same copy's clock; another's, which may be a minute ahead, has to tell two", async () => {
  const cluster = new ListedCluster();
  const names = Array.from({ length: 60 }, (_, index) => `web-${index}`);
  for (const name of names) put(cluster, name);
  const test = started(cluster);
  const { store } = test.context;
  const other = newTestEntrance({ kubernetes: cluster, store, nodes: test.nodes, instance: "another" });
  await tickAt(test, 0);
  for (const name of names) cluster.remove(service(name));
  await tickAt(test, 300_000);
  other.clock = test.clock;
  for (const [ahead, isBelieved] of [
    [61_000, false],
    [119_000, false],
    [130_000, true],
  ] as const) {
    await tickAt(other, test.clock + ahead - other.clock);
    expect(keysOn(test).length === 0).toBe(isBelieved);
  }
});

test("a cluster that went back to a backup is the truth, with its dead alive", async () => {
  const cluster = new ListedCluster();
  put(cluster, "web", "old.example");
  cluster.version = 500;
  const test = started(cluster);
  await tickAt(test, 0);
  await test.entrance.observe([gone(seenService("shop", "web"), 490)]);
  await test.host.settled();
  expect(keysOn(test)).toEqual([]);
  cluster.version = 300;
  await tickAt(test, 300_000);
  expect(keysOn(test)).toContain(ruleOf("old.example", "web"));
  expect(test.warnings.join()).toContain("went back");
});

test("a cluster that went back to before an object was made anew is believed, though it has come further since", async () => {
  const cluster = new ListedCluster();
  put(cluster, "alive");
  put(cluster, "dead");
  const test = started(cluster);
  await tickAt(test, 0);
  // Of another uid each, in a past that is lost.
  await test.entrance.observe([
    observed(seenService("shop", "alive", { annotations: { http: "lost.example" } }), 300, "another"),
    observed(seenService("shop", "dead", { annotations: { http: "dead.example" } }), 310, "a third"),
    gone(seenService("shop", "dead"), 320, "a third"),
  ]);
  await test.host.settled();
  expect(keysOn(test)).toContain(ruleOf("lost.example", "alive"));
  expect(keysOn(test)).not.toContain(ruleOf("dead.example", "dead"));
  cluster.version = 500;
  await tickAt(test, 300_000);
  expect(keysOn(test)).toEqual(
    expect.arrayContaining([ruleOf("alive.example", "alive"), ruleOf("dead.example", "dead")]),
  );
  expect(keysOn(test)).not.toContain(ruleOf("lost.example", "alive"));
  expect(test.counters.all()).toContainEqual(["entrance_eras_total", 1]);
  await tickAt(test, 300_000);
  expect(test.counters.all()).toContainEqual(["entrance_eras_total", 1]);
});

test("of another cluster at the same address nothing is taken, and the status says so until it is gone", async () => {
  const cluster = new ListedCluster();
  put(cluster, "web");
  const test = started(cluster);
  await tickAt(test, 0);
  cluster.remove(service("web"));
  cluster.id = "cluster-2";
  await tickAt(test, 300_000);
  expect(keysOn(test)).toContain(ruleOf("web.example", "web"));
  const told = async () => (await listAll(test.context.store, refusedPartition)).map(({ value }) => value).join();
  expect(await told()).toContain("another cluster");
  cluster.id = "cluster-1";
  await tickAt(test, 11_000);
  expect(await told()).toBe("");
  expect(keysOn(test)).toEqual([]);
});

test("after a time when no copy was at work everything is listed at once: nobody heard of what happened", async () => {
  const cluster = new ListedCluster();
  put(cluster, "web");
  const { store } = countedStore(openMemoryStore());
  const first = started(cluster, { store });
  await tickAt(first, 0);
  // It lists, and works on for a while before it is gone.
  await tickAt(first, 300_000);
  await tickAt(first, 5_000);
  put(cluster, "meanwhile");
  const next = started(cluster, { store, instance: "next", startMs: first.clock + 100_000 });
  await tickAt(next, 0);
  expect(keysOn(next)).not.toContain(ruleOf("meanwhile.example", "meanwhile"));
  const last = started(cluster, { store, instance: "last", startMs: next.clock + 190_000 });
  await tickAt(last, 0);
  await tickAt(last, 5_000);
  expect(keysOn(last)).toContain(ruleOf("meanwhile.example", "meanwhile"));
});
