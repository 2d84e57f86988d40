/** A freeze: nothing is pushed, everything is observed and translated, and what was kept back comes at once after it. */
import { expect, test } from "vitest";
import { changeHead } from "../../shared/operate/change-head.ts";
import { freeze, unfreeze } from "../../shared/operate/freeze.ts";
import { surveyBalancers, surveyMarks } from "../../shared/reconcile/survey.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const host = (name: string) => `Domain/${name}`;

async function routed(test: TestEntrance, name: string, version: number): Promise<void> {
  await test.entrance.observe([observed(seenIngress("shop", name, [`${name}.example`], "web"), version)]);
  await test.host.settled();
}

async function began(): Promise<TestEntrance> {
  const test = newTestEntrance();
  await test.entrance.observe([
    observed(seenService("shop", "web"), 1),
    observed(seenSlice("shop", "web", ["10.0.0.1"]), 2),
  ]);
  await routed(test, "before", 3);
  expect([...test.node().resources.keys()]).toContain(host("before.example"));
  return test;
}

test("what changes meanwhile is observed and translated, and reaches the nodes when it ends", async () => {
  const test = await began();
  expect(await freeze(test.context.store, undefined, test.clock)).toEqual(["openresty"]);
  await routed(test, "meanwhile", 4);
  test.clock += 120_000;
  await test.entrance.tick();
  await test.host.settled();
  expect([...test.node().resources.keys()]).not.toContain(host("meanwhile.example"));
  expect(await surveyMarks(test.context)).toMatchObject({ due: 0 });
  const [survey] = await surveyBalancers(test.entrance);
  // The nodes are asked all the same, so that people see how far they are behind.
  expect(survey).toMatchObject({ frozen: 1_000_000, nodes: [{ lag: 1, error: undefined }] });

  await unfreeze(test.context.store, "openresty");
  await test.entrance.tick();
  await test.host.settled();
  expect([...test.node().resources.keys()]).toContain(host("meanwhile.example"));
  expect(test.node().accepted.at(-1)).toMatchObject({ type: "changes" });
});

test("a second one leaves the time of the first; the rest of the head stands", async () => {
  const test = await began();
  const { store } = test.context;
  const head = await changeHead(store, "openresty", (it) => it);
  await freeze(store, "openresty", 7);
  await freeze(store, "openresty", 8);
  expect(await changeHead(store, "openresty", (it) => it)).toEqual({ ...head, frozen: 7 });
  await unfreeze(store, undefined);
  await unfreeze(store, undefined);
  expect(await changeHead(store, "openresty", (it) => it)).toEqual(head);
});

test("a balancer that nobody knows is told, with those that are known", async () => {
  const test = await began();
  await expect(freeze(test.context.store, "haproxy", 1)).rejects.toMatchObject({
    code: "not-found",
    message: "the store knows no balancer haproxy: it knows openresty",
  });
});

test("in the middle of a turn it is not undone by what the turn commits", async () => {
  const test = await began();
  const { store } = test.context;
  let isDone = false;
  const between = newTestEntrance({
    nodes: test.nodes,
    store: {
      ...store,
      commit: async (checks, writes) => {
        if (!isDone && writes.some(({ key }) => key.partition === "head")) {
          isDone = true;
          await freeze(store, undefined, 9);
        }
        return store.commit(checks, writes);
      },
    },
  });
  between.clock = 2_000_000;
  await routed(between, "during", 5);
  await between.entrance.tick();
  await between.host.settled();
  expect(await changeHead(store, "openresty", (it) => it)).toMatchObject({ frozen: 9, revision: 2 });
  expect([...test.node().resources.keys()]).not.toContain(host("during.example"));
});
