/** More comes than is worked off: several changes of an object are one, and a node gets what is newest in one request. */
import { expect, test } from "vitest";
import { dirtyPartition } from "../../shared/reconcile/keys.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { digestOf, modelPlugin, newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress, seenService } from "../harness/seen.ts";

test("a hundred changes of one object while nobody works are one mark, which keeps the time of the first", async () => {
  const test = newTestEntrance();
  await test.context.store.commit(
    [],
    [{ key: { partition: "lock", sort: "lock" }, value: JSON.stringify({ holder: "x", fence: 9, expires: 9e15 }) }],
  );
  const since = test.clock;
  for (let change = 1; change <= 100; change += 1) {
    test.clock += 10;
    await test.entrance.observe([observed(seenService("shop", "web", { labels: { change: String(change) } }), change)]);
  }
  const { entries } = await test.context.store.list(dirtyPartition, undefined, 10);
  expect(entries.map(({ key, value }) => [key.sort, JSON.parse(value).first])).toEqual([
    ["Service/shop/web", since + 10],
  ]);
});

test("while a node takes its time it has one request, and the next one brings it to the newest head", async () => {
  const nodes = new Map([["http://node-1", newModelNode()]]);
  const plugin = modelPlugin(nodes);
  let under = 0;
  let most = 0;
  let release: (() => void) | undefined;
  const test = newTestEntrance({
    nodes,
    plugin: {
      state: (name, timeoutMs) => plugin.state(name, timeoutMs),
      async deliver(name, delivery, timeoutMs) {
        under += 1;
        most = Math.max(most, under);
        if (release === undefined) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        const receipt = await plugin.deliver(name, delivery, timeoutMs);
        under -= 1;
        return receipt;
      },
    },
  });
  const { store } = test.context;
  for (let change = 1; change <= 20; change += 1) {
    await test.entrance.observe([observed(seenIngress("shop", `i${change}`, [`h${change}.example`], "web"), change)]);
    await expect.poll(async () => (await store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
  }
  release?.();
  await test.host.settled();
  expect(most).toBe(1);
  // What was sent first, and all the rest at once.
  expect(test.node().accepted).toHaveLength(2);
  expect(test.node().resources.has("Domain/h20.example")).toBe(true);
  expect(digestOf(test.node().resources)).toBe(test.node().state.digest);
});
