import { describe, expect, test } from "vitest";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey, logPartition } from "../../shared/reconcile/keys.ts";
import { surveyBalancers } from "../../shared/reconcile/survey.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { digestOf, newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

let version = 0;

async function change(test: TestEntrance, name: string): Promise<void> {
  version += 1;
  await test.entrance.observe([observed(seenIngress("shop", name, [`${name}.example`], "web"), version)]);
  await test.host.settled();
}

async function head(test: TestEntrance) {
  return readHead(await test.context.store.get(headKey("openresty")));
}

async function expectAtHead(test: TestEntrance): Promise<void> {
  const expected = await head(test);
  for (const node of test.nodes.values()) {
    expect(node.state).toEqual({
      store: expected?.store,
      epoch: expected?.epoch,
      revision: expected?.revision,
      digest: expected?.digest,
    });
    expect(digestOf(node.resources)).toBe(node.state.digest);
  }
}

const nodes = () =>
  new Map([
    ["http://a", newModelNode()],
    ["http://b", newModelNode()],
  ]);

describe("push", () => {
  test("a fresh node gets everything, then only changes", async () => {
    const test = newTestEntrance();
    await change(test, "one");
    await change(test, "two");
    expect(test.node().accepted.map((delivery) => delivery.type)).toEqual(["snapshot", "changes"]);
    await expectAtHead(test);
  });

  test("one node that is gone delays no other, and catches up by itself", async () => {
    const test = newTestEntrance({ nodes: nodes() });
    await change(test, "one");
    test.node("http://a").reachable = false;
    for (const name of ["two", "three", "four"]) await change(test, name);
    expect(test.node("http://b").state.revision).toBe((await head(test))?.revision);
    test.clock += 2_000;
    const told = { url: "http://a", error: "no answer", revision: 1, lag: 3, lagMs: 2_000 };
    expect((await surveyBalancers(test.entrance))[0]?.nodes[0]).toMatchObject(told);
    test.node("http://a").reachable = true;
    test.clock += 5_000;
    await test.entrance.tick();
    await expectAtHead(test);
    expect(test.node("http://a").accepted.at(-1)?.type).toBe("changes");
    expect((await surveyBalancers(test.entrance))[0]?.nodes[0]).toMatchObject({ error: undefined, lag: 0, lagMs: 0 });
  });

  test("when nothing happens, nothing is sent to change a node", async () => {
    const test = newTestEntrance();
    await change(test, "one");
    const before = test.node().accepted.length;
    for (let minute = 0; minute < 3; minute += 1) {
      test.clock += 61_000;
      await test.entrance.tick();
    }
    expect(test.node().accepted).toHaveLength(before);
  });

  test("a node that lost its state is found by the minute's digest and gets everything", async () => {
    const test = newTestEntrance();
    await change(test, "one");
    Object.assign(test.node(), { state: newModelNode().state });
    test.node().resources.clear();
    test.clock += 61_000;
    await test.entrance.tick();
    await expectAtHead(test);
  });

  test("a node further behind than the log reaches gets everything", async () => {
    const test = newTestEntrance({ nodes: nodes() });
    await change(test, "one");
    test.node("http://a").reachable = false;
    await change(test, "two");
    // Another copy, which knows nothing but what the store has.
    const { store } = test.context;
    const other = newTestEntrance({ store, nodes: test.nodes });
    const log = await store.list(logPartition("openresty"), undefined, 1_000);
    await store.commit(
      [],
      log.entries.map(({ key }) => ({ key, value: null })),
    );
    test.node("http://a").reachable = true;
    await other.entrance.tick();
    await other.host.settled();
    await expectAtHead(test);
    expect(test.node("http://a").accepted.at(-1)?.type).toBe("snapshot");
  });

  test("a node whose content is not what it should be gets everything", async () => {
    const test = newTestEntrance();
    await change(test, "one");
    const node = test.node();
    node.resources.delete("Domain/one.example");
    node.state = { ...node.state, digest: digestOf(node.resources) };
    test.clock += 61_000;
    await test.entrance.tick();
    await expectAtHead(test);
  });

  test("another store's node is left alone, and the status says what to do", async () => {
    const test = newTestEntrance();
    test.node().state = { ...test.node().state, store: "somebody-else", epoch: 1, revision: 7 };
    await change(test, "one");
    expect(test.node().state.store).toBe("somebody-else");
    expect((await surveyBalancers(test.entrance))[0]?.nodes[0]?.error).toContain("npm run adopt");
  });

  test("a node ahead of its own store: the store was restored, history goes on above the node", async () => {
    const test = newTestEntrance();
    await change(test, "one");
    const before = await head(test);
    test.node().state = { ...test.node().state, revision: 900, digest: "f".repeat(40) };
    test.clock += 61_000;
    await test.entrance.tick();
    expect((await head(test))?.epoch).toBe((before?.epoch ?? 0) + 1);
    await expectAtHead(test);
    await change(test, "two");
    await expectAtHead(test);
  });

  test("what a node rejects stays in the status until it is sent again", async () => {
    const test = newTestEntrance();
    const reject = { "Domain/one.example": "not today" };
    test.node().rejects = new Map(Object.entries(reject));
    await change(test, "one");
    await change(test, "two");
    const rejected = async () => (await surveyBalancers(test.entrance))[0]?.nodes[0]?.rejected;
    expect(await rejected()).toEqual([{ key: "Domain/one.example", reason: "not today" }]);
    test.node().rejects = new Map();
    version += 1;
    const tls = [{ hosts: ["one.example"], secretName: "tls" }];
    await test.entrance.observe([observed(seenIngress("shop", "one", ["one.example"], "web", { tls }), version)]);
    await test.host.settled();
    expect(await rejected()).toEqual([]);
  });

  test("1,000 objects at once arrive", async () => {
    const test = newTestEntrance();
    const all = Array.from({ length: 1_000 }, (_, index) =>
      observed(seenIngress("shop", `i${index}`, [`h${index}.example`], "web"), index + 1),
    );
    await test.entrance.observe([
      observed(seenService("shop", "web"), 1),
      observed(seenSlice("shop", "web", ["10.0.0.1"]), 1),
      ...all,
    ]);
    await test.host.settled();
    expect([...test.node().resources.keys()].filter((key) => key.startsWith("Rule/"))).toHaveLength(1_000);
    await expectAtHead(test);
  });
});
