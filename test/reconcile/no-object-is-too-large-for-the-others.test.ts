/** However much one object or one burst asks for, in letters of three bytes or in names of 253 characters. */
import { describe, expect, test } from "vitest";
import type { SeenIngress } from "../../shared/model/seen/ingress.ts";
import { dirtyPartition } from "../../shared/reconcile/keys.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { runTurns } from "../../shared/reconcile/turn.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { digestOf } from "../harness/model-node.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const shop = [
  observed(seenService("shop", "web"), 1),
  observed(seenSlice("shop", "web", ["10.0.0.1"]), 1),
  observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 1),
];

/** So many paths of one host. */
function withPaths(name: string, host: string, count: number, text = "p"): SeenIngress {
  const backend = { service: "none", port: 80 };
  const paths = Array.from({ length: count }, (_, index) => ({
    path: `/${text}${index}`,
    pathType: "Prefix" as const,
    backend,
  }));
  return { ...seenIngress("big", name, [], "none"), rules: [{ host, paths }] };
}

async function rest(test: TestEntrance): Promise<void> {
  await test.host.settled();
  for (let round = 0; round < 3; round += 1) {
    test.clock += 5_000;
    await test.entrance.tick();
    await test.host.settled();
  }
}

async function expectShopServed(test: TestEntrance): Promise<void> {
  expect([...test.node().resources.keys()]).toContain("Rule/www.shop.example/Ingress/shop/web/0");
  expect((await test.context.store.list(dirtyPartition, undefined, 10)).entries).toEqual([]);
  expect(digestOf(test.node().resources)).toBe(test.node().state.digest);
}

const rulesOf = (test: TestEntrance) => [...test.node().resources.keys()].filter((key) => key.startsWith("Rule/"));

describe("beside them the others are served", () => {
  test("events in one list whose texts have three bytes a letter", async () => {
    const test = newTestEntrance();
    const large = ["a", "b", "c", "d", "e"].map((name) => withPaths(name, "big.example", 25, "网".repeat(3_500)));
    await test.entrance.observe([...large.map((object) => observed(object, 1)), ...shop]);
    await rest(test);
    expect(rulesOf(test)).toHaveLength(126);
    await expectShopServed(test);
  });

  test("unusable events of large objects in one list", async () => {
    const test = newTestEntrance();
    const large = ["a", "b", "c", "d", "e"].map((name) => withPaths(name, "big.example", 60, "p".repeat(3_500)));
    for (const object of large) await test.entrance.observe([observed(object, 1)]);
    const worse = large.map((object) => {
      const { reference, uid } = observed(object, 1);
      return { type: "unusable" as const, reference, uid, position: observed(object, 2).position, reason: "too large" };
    });
    await test.entrance.observe([...worse, ...shop]);
    await rest(test);
    await expectShopServed(test);
  });

  test("wants of three bytes a letter that are worked off in one turn", async () => {
    const test = newTestEntrance();
    const large = ["a", "b", "c", "d", "e"].map((name) => withPaths(name, "big.example", 22, "网".repeat(3_500)));
    const { lock } = await trigger(
      test.context,
      [...large].slice(0, 1).map((object) => observed(object, 1)),
    );
    for (const object of large.slice(1)) await trigger(test.context, [observed(object, 1)]);
    await trigger(test.context, shop);
    if (lock === undefined) throw new Error("not acquired");
    await runTurns(test.context, lock, (committed) => test.entrance.pusher.committed(committed));
    await rest(test);
    expect(rulesOf(test)).toHaveLength(111);
    await expectShopServed(test);
  });

  test("many objects with many routes, when all of them go at once", async () => {
    const test = newTestEntrance();
    const names = Array.from({ length: 12 }, (_, index) => `${"long-name-".repeat(6)}${index}`);
    const large = names.map((name) => withPaths(name, "big.example", 700));
    for (const object of large) await test.entrance.observe([observed(object, 1)]);
    await rest(test);
    expect(rulesOf(test)).toHaveLength(8_400);
    await test.entrance.observe([...large.map((object) => gone(object, 2)), ...shop]);
    await rest(test);
    expect(rulesOf(test)).toHaveLength(1);
    await expectShopServed(test);
  });

  test("one object whose keys alone are larger than a record", async () => {
    const test = newTestEntrance();
    const label = "l".repeat(61);
    const large = withPaths(`${label}.${label}.${label}.${label}`, `${label}.${label}.${label}.${label}`, 1_000);
    await test.entrance.observe([observed(large, 1), ...shop]);
    await rest(test);
    expect(rulesOf(test)).toHaveLength(1_001);
    await test.entrance.observe([gone(large, 2)]);
    await rest(test);
    expect(rulesOf(test)).toHaveLength(1);
    await expectShopServed(test);
  });

  test("one object whose claim of one host is larger than a record", async () => {
    const test = newTestEntrance();
    const tls = Array.from({ length: 6_000 }, (_, index) => ({ hosts: [], secretName: `s${index}` }));
    const namespace = "n".repeat(60);
    const large = { ...seenIngress(namespace, "large", ["big.example"], "none"), tls };
    await test.entrance.observe([observed(large, 1), ...shop]);
    await rest(test);
    await expectShopServed(test);
  });
});
