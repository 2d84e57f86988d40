/** Nodes that another store drove: left alone until an operator says that this one replaces it, and for a while only. */
import { expect, test, vi } from "vitest";
import { adopt, adoptionMs, strangeNodes } from "../../shared/operate/adopt.ts";
import { balancersOf, changeHead } from "../../shared/operate/change-head.ts";
import { forget } from "../../shared/operate/forget.ts";
import { freeze } from "../../shared/operate/freeze.ts";
import { newTestEntrance, type TestEntrance, testNode } from "../harness/entrance.ts";
import { newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress, seenService } from "../harness/seen.ts";

const balancer = "openresty";
const node = testNode;

let ids = 0;

/** Its store's ids are nobody else's. */
function another(options: Parameters<typeof newTestEntrance>[0]): TestEntrance {
  ids += 1;
  const own = String(ids);
  return newTestEntrance({ ...options, randomId: () => own.repeat(32).slice(0, 32) });
}

async function routed(test: TestEntrance, name: string): Promise<void> {
  await test.entrance.observe([
    observed(seenService("shop", "web"), 1),
    observed(seenIngress("shop", name, [`${name}.example`], "web"), 2),
  ]);
  await test.host.settled();
}

async function ticked(test: TestEntrance, ms = 60_000): Promise<void> {
  test.clock += ms;
  await test.entrance.tick();
  await test.host.settled();
}

async function twoStores(): Promise<{ first: TestEntrance; second: TestEntrance }> {
  const nodes = new Map([[node, newModelNode()]]);
  const first = another({ nodes });
  await routed(first, "first");
  const second = another({ nodes });
  await routed(second, "second");
  expect(first.node().resources.has("Domain/first.example")).toBe(true);
  return { first, second };
}

test("the node is left to the store that drove it, and the command says whose it is", async () => {
  const { first, second } = await twoStores();
  const { store } = await changeHead(first.context.store, balancer, (head) => head);
  expect(await strangeNodes(second.context.store, balancer)).toEqual([{ node, store }]);
  expect(second.entrance.pusher.memory(at(second), node).error).toMatch(/npm run adopt -- openresty/);
  expect(first.node().state.store).toBe(store);
});

test("once it is said, the node is taken over, and its former store leaves it alone", async () => {
  const { first, second } = await twoStores();
  const [strange] = await strangeNodes(second.context.store, balancer);
  await adopt(second.context.store, balancer, [strange?.store ?? ""], second.clock);
  await ticked(second);
  expect(second.node().accepted.at(-1)).toMatchObject({ type: "snapshot", replaces: strange?.store });
  expect([...second.node().resources.keys()]).toEqual(expect.arrayContaining(["Domain/second.example"]));
  expect(await strangeNodes(second.context.store, balancer)).toEqual([]);

  await ticked(first);
  await ticked(first);
  expect(second.node().resources.has("Domain/second.example")).toBe(true);
  expect(await strangeNodes(first.context.store, balancer)).toHaveLength(1);
});

test("of another store than the one that was named nothing is taken", async () => {
  const { second } = await twoStores();
  await adopt(second.context.store, balancer, ["somebody-else"], second.clock);
  await ticked(second);
  expect(second.node().resources.has("Domain/first.example")).toBe(true);
});

test("what was said does not stand for ever", async () => {
  const { second } = await twoStores();
  const [strange] = await strangeNodes(second.context.store, balancer);
  second.node().reachable = false;
  await adopt(second.context.store, balancer, [strange?.store ?? ""], second.clock);
  await ticked(second);
  second.clock += adoptionMs;
  second.node().reachable = true;
  await ticked(second);
  expect(second.node().resources.has("Domain/first.example")).toBe(true);
});

test("a balancer is forgotten once nothing is wanted of it", async () => {
  const { first } = await twoStores();
  const { store } = first.context;
  await expect(forget(store, balancer)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/take it out/),
  });
  await expect(forget(store, "haproxy")).rejects.toMatchObject({ code: "not-found" });
  const next = newTestEntrance({
    store,
    isSoleWriter: true,
    balancers: [{ ...at(first), name: "another", classes: ["another"], nodes: [] }],
    translation: { ...first.context.translation, balancers: [{ name: "another", classes: ["another"] }] },
  });
  await ticked(next);
  // An operator freezes it in the middle of it.
  const { list } = store;
  const listing = vi.spyOn(store, "list").mockImplementationOnce(async (...args) => {
    await freeze(store, balancer, 1);
    return list.apply(store, args);
  });
  await expect(forget(store, balancer)).rejects.toMatchObject({ code: "busy" });
  listing.mockRestore();
  expect(await balancersOf(store)).toEqual(["another", balancer]);
  await forget(store, balancer);
  expect(await balancersOf(store)).toEqual(["another"]);
  expect((await store.list(`log/${balancer}`, undefined, 10)).entries).toEqual([]);
});

function at(test: TestEntrance) {
  const [it] = test.context.balancers;
  if (it === undefined) throw new Error("no balancer");
  return it;
}
