/**
 * Two instances on one store and one node, each of their steps held until a seeded choice lets it go on. Whatever the
 * order, once they come to rest the node equals the head, no mark is due and the lock is free. Each mutant leaves out
 * one check of the protocol, at the port and not in the code, and must be found.
 */
import { describe, expect, test } from "vitest";
import type { Observation } from "../../shared/model/observation.ts";
import { readHead } from "../../shared/reconcile/head.ts";
import { dirtyPartition, headKey, lockKey } from "../../shared/reconcile/keys.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { dice } from "../harness/dice.ts";
import { newTestEntrance, type TestEntrance, testNode } from "../harness/entrance.ts";
import { digestOf, modelPlugin, newModelNode } from "../harness/model-node.ts";
import { type Held, pausedStore, Scheduler } from "../harness/paused-store.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

interface Mutant {
  /** Wraps one instance's store. */
  readonly store?: (store: Store) => Store;
  readonly nodeChecksRevision?: boolean;
}

/** A check of keys of one partition is not made. */
function withoutChecks(partition: string): (store: Store) => Store {
  return (store) => ({
    ...store,
    get: (key) => store.get(key),
    list: (name, after, limit) => store.list(name, after, limit),
    commit: (checks, writes) =>
      store.commit(
        checks.filter((check) => check.key.partition !== partition),
        writes,
      ),
    close: () => store.close(),
  });
}

/** The look after the release sees nothing. */
function withoutSecondLook(store: Store): Store {
  let released = false;
  return {
    get: (key) => store.get(key),
    async list(partition, after, limit) {
      if (partition === dirtyPartition && released) return { entries: [], next: undefined };
      return store.list(partition, after, limit);
    },
    async commit(checks, writes) {
      const result = await store.commit(checks, writes);
      released = writes.some(({ key, value }) => key.partition === lockKey.partition && value?.includes('"holder":""'));
      return result;
    },
    close: () => store.close(),
  };
}

const web = seenService("shop", "web");
const events: readonly Observation[][] = [
  [observed(web, 1), observed(seenSlice("shop", "web", ["10.0.0.1"]), 2)],
  [observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 3)],
  [observed(seenSlice("shop", "web", ["10.0.0.1", "10.0.0.2"]), 4)],
  [observed(seenIngress("shop", "web", ["www.shop.example", "shop.example"], "web"), 5)],
  [observed(seenSlice("shop", "web", ["10.0.0.2"]), 5)],
  [observed(seenSlice("shop", "web", ["10.0.0.3"]), 6)],
  [observed(seenIngress("blog", "front", ["shop.example"], "web"), 6)],
  [gone(seenIngress("shop", "web", [], "web"), 7)],
];

/** About to free the lock, or to deliver. */
function isCritical({ moment }: Held): boolean {
  const frees = moment.call === "commit" && moment.keys.filter((key) => key.partition === lockKey.partition).length > 1;
  return moment.phase === "before" && (frees || moment.keys.every((key) => key.partition === "node"));
}

/** Runs one order of steps; returns what is wrong in the end. */
async function run(seed: number, mutant: Mutant): Promise<string[]> {
  const store = openMemoryStore();
  const scheduler = new Scheduler();
  const node = newModelNode();
  node.checksRevision = mutant.nodeChecksRevision ?? true;
  const nodes = new Map([[testNode, node]]);
  const instances = ["a", "b"].map((who): TestEntrance => {
    const held = pausedStore(store, who, scheduler.hold);
    const hold = () => scheduler.hold({ who, call: "get", phase: "before", keys: [{ partition: "node" }] });
    return newTestEntrance({
      store: mutant.store === undefined ? held : mutant.store(held),
      nodes,
      plugin: modelPlugin(nodes, hold),
      instance: who,
    });
  });
  const random = dice(seed);
  const work = instances.map(async (instance, index) => {
    for (const [number, observations] of events.entries()) {
      if (number % 2 !== index) continue;
      await instance.entrance.observe(observations);
      // Now and then everything is served before the next event comes.
      if (random(2) === 0) await instance.host.settled();
    }
    await instance.host.settled();
  });
  // One of the two goes alone for a while, short or long, and is often stopped where it is about to free the lock or
  // to deliver: uniform choices seldom freeze anybody for long.
  let favoured = 0;
  let left = 0;
  await scheduler.run(work, (held) => {
    if (left === 0) {
      favoured = random(2);
      left = 1 + random([4, 40, 300][random(3)] ?? 4);
    }
    left -= 1;
    const isFavoured = (each: Held) => each.moment.who === (favoured === 0 ? "a" : "b");
    if (held.some((each) => isFavoured(each) && isCritical(each)) && random(3) > 0) {
      favoured = 1 - favoured;
      left = 1 + random(300);
    }
    const own = held.filter(isFavoured);
    const pool = own.length > 0 ? own : held;
    return pool[random(pool.length)];
  });
  const wrong: string[] = [];
  for (const instance of instances) wrong.push(...instance.host.faults.map(String), ...instance.warnings);
  const due = await store.list(dirtyPartition, undefined, 10);
  if (due.entries.length > 0) wrong.push(`left marked: ${due.entries.map((entry) => entry.key.sort).join(" ")}`);
  if (JSON.parse((await store.get(lockKey))?.value ?? "{}").holder !== "") wrong.push("the lock is held");
  const head = readHead(await store.get(headKey("openresty")));
  if (node.state.revision !== head?.revision || node.state.digest !== head.digest)
    wrong.push("the node is not at the head");
  const revisions = node.accepted.map((delivery) => delivery.target.revision);
  if (revisions.some((revision, index) => revision < (revisions[index - 1] ?? 0))) wrong.push("the node went back");
  if (digestOf(node.resources) !== node.state.digest) wrong.push("the node's content is not what its digest says");
  const expected = ["Domain/shop.example", "Rule/shop.example/Ingress/blog/front/0"].join(" ");
  const keys = [...node.resources.keys()].sort().join(" ");
  if (keys !== expected) wrong.push(`the node serves ${keys}`);
  return wrong;
}

async function firstWrong(mutant: Mutant, seeds: number): Promise<{ seed: number; wrong: string[] } | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const wrong = await run(seed, mutant).catch((error: unknown) => [String(error)]);
    if (wrong.length > 0) return { seed, wrong };
  }
  return undefined;
}

test("two instances come to rest at the same, whatever the order of their steps", async () => {
  expect(await firstWrong({}, 300)).toBeUndefined();
});

describe("without", () => {
  for (const [title, mutant] of [
    ["the second look after release, a mark is left", { store: withoutSecondLook }],
    ["the version of marks, a change is lost", { store: withoutChecks(dirtyPartition) }],
    ["the node's check of revisions, an old state comes back", { nodeChecksRevision: false }],
  ] as const) {
    test(title, async () => {
      expect(await firstWrong(mutant, 3_000)).toBeDefined();
    });
  }
});
