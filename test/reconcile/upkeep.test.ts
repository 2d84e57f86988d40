/** What a store needs from time to time: asked for by the minute, by one of all copies, and no fault of it stops a tick. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";

async function tickAt(it: TestEntrance, ms: number): Promise<void> {
  it.clock = ms;
  await it.entrance.tick();
  await it.host.settled();
}

test("by the minute, and by one of two copies", async () => {
  const times: number[] = [];
  const store = { ...openMemoryStore(), tend: async (now: number) => void times.push(now) };
  const copies = [newTestEntrance({ store }), newTestEntrance({ store })];
  for (const ms of [1_000_000, 1_005_000, 1_059_000, 1_060_000, 1_065_000]) {
    for (const copy of copies) await tickAt(copy, ms);
  }
  expect(times).toEqual([1_000_000, 1_060_000]);
});

test("where it fails that is told, and the rest is done", async () => {
  const store = { ...openMemoryStore(), tend: () => Promise.reject(new Error("no room")) };
  const it = newTestEntrance({ store });
  await tickAt(it, 1_000_000);
  expect(it.warnings).toEqual(["the store's upkeep: no room"]);
  expect(it.host.faults).toEqual([]);
  expect(it.node().state.store).not.toBe("");
});
