import { describe, expect, test } from "vitest";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey } from "../../shared/reconcile/keys.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { modelPlugin, newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress } from "../harness/seen.ts";

const node = "http://node-1";

/** A second change becomes durable so many microtasks after the node has answered to the first. */
async function behindAfter(microtasks: number): Promise<number> {
  const nodes = new Map([[node, newModelNode()]]);
  const plugin = modelPlugin(nodes);
  let onAnswer: () => void = () => undefined;
  const test = newTestEntrance({
    nodes,
    plugin: {
      state: (name, timeoutMs) => plugin.state(name, timeoutMs),
      async deliver(name, delivery, timeoutMs) {
        const receipt = await plugin.deliver(name, delivery, timeoutMs);
        onAnswer();
        return receipt;
      },
    },
  });
  const { store } = test.context;
  await test.entrance.observe([observed(seenIngress("shop", "one", ["one.example"], "web"), 1)]);
  await test.host.settled();
  let second: Promise<void> | undefined;
  onAnswer = () => {
    onAnswer = () => undefined;
    second = (async () => {
      for (let turn = 0; turn < microtasks; turn += 1) await Promise.resolve();
      // As another copy would: the head moves, and this one hears of it at once.
      const entry = await store.get(headKey("openresty"));
      const head = readHead(entry);
      if (head === undefined) return;
      const next = { ...head, revision: head.revision + 1 };
      const log = { partition: "log/openresty", sort: String(next.revision).padStart(16, "0") };
      void store.commit(
        [],
        [
          { key: headKey("openresty"), value: JSON.stringify(next) },
          { key: log, value: JSON.stringify({ changed: {} }) },
        ],
      );
      test.host.after(() => test.entrance.pusher.push(["openresty"]));
    })();
  };
  await test.entrance.observe([observed(seenIngress("shop", "two", ["two.example"], "web"), 2)]);
  await test.host.settled();
  await second;
  await test.host.settled();
  const head = readHead(await store.get(headKey("openresty")));
  return (head?.revision ?? 0) - test.node().state.revision;
}

test("a change at the very end of a push is pushed, too", async () => {
  const behind: number[] = [];
  for (let microtasks = 0; microtasks < 60; microtasks += 1) behind.push(await behindAfter(microtasks));
  expect(behind).toEqual(behind.map(() => 0));
});

test("changes that come faster than they are pushed are no fault of the node", async () => {
  const nodes = new Map([[node, newModelNode()]]);
  const plugin = modelPlugin(nodes);
  let changes = 0;
  const test = newTestEntrance({
    nodes,
    plugin: {
      state: (name, timeoutMs) => plugin.state(name, timeoutMs),
      async deliver(name, delivery, timeoutMs) {
        const receipt = await plugin.deliver(name, delivery, timeoutMs);
        changes += 1;
        if (changes <= 40) {
          await test.entrance.observe([observed(seenIngress("shop", "web", [`h${changes}.example`], "web"), changes)]);
          await new Promise(setImmediate);
        }
        return receipt;
      },
    },
  });
  await test.entrance.observe([observed(seenIngress("shop", "one", ["one.example"], "web"), 1)]);
  await test.host.settled();
  expect(test.counters.all().filter(([name]) => name.startsWith("entrance_push_failures_total"))).toEqual([]);
  expect([...test.node().resources.keys()]).toContain("Domain/h40.example");
});

describe("repair", () => {
  test("of a balancer does not wait for another one's node that never answers", async () => {
    const names = ["first", "second"];
    const nodes = new Map(names.map((name) => [`http://${name}`, newModelNode()]));
    const plugin = modelPlugin(nodes);
    const test = newTestEntrance({
      nodes,
      balancers: names.map((name) => ({
        name,
        classes: [name],
        nodes: [`http://${name}`],
        addresses: [],
        plugin: {
          ...plugin,
          state: (node, timeoutMs) => (name === "first" ? new Promise(() => undefined) : plugin.state(node, timeoutMs)),
        },
      })),
      translation: { balancers: names.map((name) => ({ name, classes: [name] })), prefix: "entrance.dev" },
    });
    void test.entrance.tick();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(test.node("http://second").state.store).not.toBe("");
  });

  test("that asks anew in the middle of a push is no fault of the node", async () => {
    const wrong: unknown[] = [];
    for (let microtasks = 0; microtasks < 150; microtasks += 1) {
      const test = newTestEntrance();
      await test.entrance.observe([observed(seenIngress("shop", "one", ["one.example"], "web"), 1)]);
      await test.host.settled();
      await test.entrance.observe([observed(seenIngress("shop", "two", ["two.example"], "web"), 2)]);
      for (let turn = 0; turn < microtasks; turn += 1) await Promise.resolve();
      test.host.after(() => test.entrance.pusher.repair(true));
      await test.host.settled();
      const [balancer] = test.context.balancers;
      if (balancer === undefined) throw new Error("no balancer");
      const { failures, state } = test.entrance.pusher.memory(balancer, node);
      if (failures > 0 || state?.revision !== test.node().state.revision) wrong.push({ microtasks, failures });
    }
    expect(wrong).toEqual([]);
  });
});
