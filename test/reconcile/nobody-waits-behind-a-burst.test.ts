/** Thousands of marks of one namespace: what is urgent, and what others have, is done within the first few hundred. */
import { expect, test } from "vitest";
import { domainReference } from "../../shared/model/reference.ts";
import { dirtyKey, dirtyPartition, lockKey } from "../../shared/reconcile/keys.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const burst = 1_500;

/** What is observed by `mark` while somebody holds the lock is worked off by one turn; in which order? */
async function orderOf(test: TestEntrance, mark: () => Promise<unknown>): Promise<string[]> {
  const held = { key: lockKey, value: JSON.stringify({ holder: "x", fence: 99, expires: 9e15 }) };
  await test.context.store.commit([], [held]);
  await mark();
  await test.context.store.commit([], [{ key: lockKey, value: null }]);
  const order: string[] = [];
  const { translate } = test.context;
  Object.assign(test.context, {
    translate: (...args: Parameters<typeof translate>) => {
      const { kind, namespace, name } = args[0].reference;
      order.push(`${kind} ${namespace}/${name}`);
      return translate(...args);
    },
  });
  await test.entrance.tick();
  await test.host.settled();
  expect((await test.context.store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
  // Each is run once in advance for what it asks.
  return order.filter((each, place) => order.indexOf(each) < place);
}

test("routes of another namespace, and Services, whose kind is listed later", async () => {
  const test = newTestEntrance({ nodes: new Map() });
  const many = Array.from({ length: burst }, (_, index) =>
    seenIngress("a", `i${index}`, [`i${index}.example`], "none"),
  );
  const order = await orderOf(test, () =>
    trigger(test.context, [
      ...many.map((object) => observed(object, 1)),
      observed(seenIngress("z", "web", ["www.example"], "web"), 1),
      observed(seenService("z", "other"), 1),
    ]),
  );
  const ofTheBurst = (upTo: string) =>
    order.slice(0, order.indexOf(upTo)).filter((each) => each.startsWith("Ingress a/"));
  expect(ofTheBurst("Ingress z/web").length).toBeLessThan(256);
  expect(ofTheBurst("Service z/other").length).toBeLessThan(256);
  expect(order.filter((each) => each.startsWith("Ingress a/"))).toHaveLength(burst);
});

async function withTwoEndpoints(): Promise<TestEntrance> {
  const test = newTestEntrance({ nodes: new Map() });
  await test.entrance.observe([
    observed(seenService("z", "web"), 1),
    observed(seenSlice("z", "web", ["10.0.0.1", "10.0.0.2"]), 2),
  ]);
  await test.host.settled();
  return test;
}

test("endpoints that go, far behind the slices of others", async () => {
  const test = await withTwoEndpoints();
  const many = Array.from({ length: burst }, (_, index) => seenSlice("a", `s${index}`, ["10.0.0.1"]));
  const order = await orderOf(test, () =>
    trigger(test.context, [
      ...many.map((object) => observed(object, 3)),
      observed(seenSlice("z", "web", ["10.0.0.1"]), 3),
    ]),
  );
  expect(order[0]).toBe("EndpointSlice z/web-a");
});

test("endpoints that go, behind the marks of what hosts hold, which are listed first", async () => {
  const test = await withTwoEndpoints();
  const hosts = Array.from({ length: burst }, (_, index) => ({
    key: dirtyKey(domainReference(`h${index}.example`)),
    value: '{"first":1,"tries":0}',
  }));
  const order = await orderOf(test, async () => {
    for (let start = 0; start < burst; start += 30) await test.context.store.commit([], hosts.slice(start, start + 30));
    await trigger(test.context, [observed(seenSlice("z", "web", ["10.0.0.1"]), 3)]);
  });
  expect(order[0]).toBe("EndpointSlice z/web-a");
});
