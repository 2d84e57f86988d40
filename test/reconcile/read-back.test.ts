/** A review is a hint: the object is read back after the answer, until what was reviewed is there, or something newer. */
import { expect, test } from "vitest";
import type { SeenReference } from "../../shared/model/observation.ts";
import { hintPartition, seenKey } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { readSeen } from "../../shared/reconcile/seen.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { observed, seenService } from "../harness/seen.ts";

const web: SeenReference = { kind: "Service", namespace: "shop", name: "web" };
const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }];
/** About to be made: there is no version of it yet. */
const create = { ...observed(seenService("shop", "web"), 0), position: { resourceVersion: "0", step: 1 as const } };

function started() {
  const cluster = new ListedCluster();
  const test = newTestEntrance({ kubernetes: cluster });
  const hints = () => listAll(test.context.store, hintPartition);
  const seen = async () => readSeen(await test.context.store.get(seenKey(web)));
  return { cluster, test, hints, seen };
}

test("the hint is durable before the answer, and nothing counts as seen", async () => {
  const { test, hints, seen } = started();
  const after: (() => Promise<void>)[] = [];
  test.host.after = (work) => after.push(work);
  await test.entrance.reviewed(create);
  expect(await hints()).toHaveLength(1);
  expect(await seen()).toBeUndefined();
});

test("it is read again until it is there", async () => {
  const { cluster, test, hints, seen } = started();
  cluster.meanwhile = () => {
    if (cluster.pauses.length === 3) cluster.put(web, { spec: { ports } });
  };
  await test.entrance.reviewed(create);
  await test.host.settled();
  expect(cluster.pauses).toHaveLength(3);
  expect((await seen())?.gone).toBe(false);
  expect(await hints()).toEqual([]);
});

test("something newer will do; what is still as it was before will not", async () => {
  const { cluster, test, hints } = started();
  const version = cluster.put(web, { spec: { ports } });
  const update = { ...observed(seenService("shop", "web", { labels: { domain: "x" } }), version) };
  const review = { ...update, position: { resourceVersion: String(version), step: 1 as const } };
  cluster.meanwhile = () => {
    if (cluster.pauses.length === 2) cluster.put(web, { spec: { ports, type: "LoadBalancer" } });
  };
  await test.entrance.reviewed(review);
  await test.host.settled();
  expect(cluster.pauses).toHaveLength(2);
  expect(await hints()).toEqual([]);
});

test("what somebody else denied is given up in the end", async () => {
  const { test, hints, seen } = started();
  await test.entrance.reviewed(create);
  await test.host.settled();
  expect(await hints()).toHaveLength(1);
  for (let minute = 0; minute < 8; minute += 1) {
    test.clock += 60_000;
    await test.entrance.tick();
    await test.host.settled();
  }
  expect(await hints()).toEqual([]);
  expect(await seen()).toBeUndefined();
});

test("on a host that stands still after its answer the next tick reads it back", async () => {
  const { cluster, test, hints, seen } = started();
  const { after } = test.host;
  Object.assign(test.host, { standsStill: true, after: () => undefined });
  await test.entrance.reviewed(create);
  cluster.put(web, { spec: { ports } });
  test.host.after = after;
  await test.entrance.tick();
  await test.host.settled();
  expect((await seen())?.gone).toBe(false);
  expect(await hints()).toEqual([]);
});

test("a hint outlives the process that left it", async () => {
  const { cluster, test, hints, seen } = started();
  const { after } = test.host;
  test.host.after = () => undefined;
  await test.entrance.reviewed(create);
  test.host.after = after;
  cluster.put(web, { spec: { ports } });
  const next = newTestEntrance({
    kubernetes: cluster,
    store: test.context.store,
    instance: "next",
    startMs: test.clock + 5_000,
  });
  await next.entrance.tick();
  await next.host.settled();
  expect(await hints()).toEqual([]);
  expect((await seen())?.gone).toBe(false);
});

test("what should be there is asked for by GET; where no role allows that, and of an end, by LIST", async () => {
  for (const [forbidsGet, lists] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const { cluster, test, hints, seen } = started();
    cluster.forbidsGet = forbidsGet;
    const version = cluster.put(web, { spec: { ports } });
    await test.entrance.reviewed(create);
    await test.host.settled();
    expect(cluster.lists).toBe(lists);
    expect((await seen())?.gone).toBe(false);

    cluster.remove(web);
    const position = { resourceVersion: String(version), step: 2 as const };
    const { uid } = observed(seenService("shop", "web"), version);
    await test.entrance.reviewed({ type: "gone", reference: web, uid, position });
    await test.host.settled();
    expect(cluster.lists).toBe(lists + 1);
    expect((await seen())?.gone).toBe(true);
    expect(await hints()).toEqual([]);
  }
});

test("of many reviews at once none is left to the timer", async () => {
  const { cluster, test, hints } = started();
  for (let number = 0; number < 300; number += 1) {
    const reference: SeenReference = { kind: "Service", namespace: "shop", name: `web-${number}` };
    cluster.put(reference, { spec: { ports } });
    await test.entrance.reviewed({ ...create, ...observed(seenService("shop", `web-${number}`), 0) });
  }
  await test.host.settled();
  expect(await hints()).toEqual([]);
  expect(await listAll(test.context.store, "seen/Service")).toHaveLength(300);
});
