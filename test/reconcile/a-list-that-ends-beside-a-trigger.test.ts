/** What was read of the floor is checked: a LIST that ends before the commit says of whom nobody knows that they are gone. */
import { expect, test } from "vitest";
import type { Observation } from "../../shared/model/observation.ts";
import { floorKey, hintKey, seenKey } from "../../shared/reconcile/keys.ts";
import { readSeen } from "../../shared/reconcile/seen.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { observed, seenSlice } from "../harness/seen.ts";

const reference = { kind: "EndpointSlice", namespace: "shop", name: "web-a" } as const;
const buried: Observation = { type: "buried", reference, uid: "of-before" };

test.each([
  { of: "nothing is known", before: [] },
  { of: "only a burial is known", before: [buried] },
])("of whom $of", async ({ before }) => {
  const store = openMemoryStore();
  let isListed = false;
  const held: Store = {
    ...store,
    async commit(checks, writes) {
      if (!isListed && writes.some(({ key }) => key.partition === seenKey(reference).partition)) {
        isListed = true;
        await store.commit([], [{ key: floorKey("EndpointSlice"), value: '{"era":0,"resourceVersion":"50"}' }]);
      }
      return store.commit(checks, writes);
    },
  };
  const kubernetes = new ListedCluster();
  await newTestEntrance({ store, kubernetes }).entrance.observe(before);
  const test = newTestEntrance({ store: held, kubernetes });
  // What it leaves to be read back stays.
  test.host.after = () => undefined;
  const counts = await test.entrance.observe([observed(seenSlice("shop", "web", ["10.0.0.1"]), 10)]);
  expect(isListed).toBe(true);
  expect(counts.hint).toBe(1);
  expect(readSeen(await store.get(seenKey(reference)))?.gone ?? true).toBe(true);
  expect(await store.get(hintKey(reference))).toBeDefined();
});
