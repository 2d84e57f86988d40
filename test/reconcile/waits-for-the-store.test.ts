/** From an object to the nodes there are four waits for the store: what is asked side by side costs one. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

/** Answers whatever was asked since the last time together, a little later; `rounds` tells what that was. */
function roundsOf(store: Store): { readonly store: Store; readonly rounds: string[][] } {
  const rounds: string[][] = [];
  let round: Promise<void> | undefined;
  async function wait<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (round === undefined) {
      rounds.push([]);
      round = new Promise((resolve) => {
        setTimeout(() => {
          round = undefined;
          resolve();
        }, 5);
      });
    }
    rounds.at(-1)?.push(what);
    await round;
    return call();
  }
  return {
    rounds,
    store: {
      get: (key) => wait(`get ${key.partition}`, () => store.get(key)),
      list: (partition, after, limit) => wait(`list ${partition}`, () => store.list(partition, after, limit)),
      commit: (checks, writes) => wait("commit", () => store.commit(checks, writes)),
      close: () => store.close(),
    },
  };
}

const changes = [
  { what: "a new route", change: observed(seenIngress("shop", "www", ["www.shop.example"], "web"), 9) },
  { what: "other endpoints", change: observed(seenSlice("shop", "web", ["10.0.0.2"]), 9) },
];

test.each(changes)("$what", async ({ change }) => {
  const { store, rounds } = roundsOf(openMemoryStore());
  const { entrance, host } = newTestEntrance({ store });
  const [web, members] = [seenService("shop", "web"), seenSlice("shop", "web", ["10.0.0.1"])];
  await entrance.observe([
    observed(web, 5),
    observed(members, 6),
    observed(seenIngress("shop", "a", ["a.example"], "web"), 7),
  ]);
  await host.settled();
  rounds.length = 0;
  await entrance.observe([change]);
  await host.settled();
  const [known = [], recorded, read = [], committed] = rounds;
  expect(known.every((what) => what.startsWith("get "))).toBe(true);
  expect(recorded).toEqual(["commit"]);
  expect(read).toContain("list dirty");
  expect(committed).toEqual(["commit"]);
});
