/** A slice that was marked before a route is known when the route's turn comes, wherever the turn stands by then. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, watchedStore } from "../harness/served.ts";

const places = [
  { of: "slices", burst: (name: string) => seenSlice("zoo", name, ["10.0.0.9"]) },
  // Then the route is taken from further on, together with the first page.
  { of: "routes", burst: (name: string) => seenIngress("bar", name, [], "", { className: "none" }) },
] as const;

test.each(places)("a burst of several pages of $of, and a slice that comes behind the turn's place", async (place) => {
  const store = openMemoryStore();
  const wrong: string[] = [];
  const other = newTestEntrance({ store, instance: "other" });
  const web = seenService("shop", "web");
  await other.entrance.observe([observed(web, 5)]);
  await other.host.settled();

  let lists = 0;
  const watched = watchedStore(store, (wants) => wrong.push(...dangling(wants, "members")));
  const shortPages: Store = {
    ...watched,
    async list(partition, after, limit) {
      if (partition === "dirty" && after !== undefined) lists += 1;
      // Just before the second page: the endpoints, and then the route to them.
      if (lists === 1) {
        lists += 1;
        await other.entrance.observe([observed(seenSlice("shop", "web", ["10.0.0.1"]), 8)]);
        await other.entrance.observe([observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 9)]);
      }
      return watched.list(partition, after, Math.min(limit, 2));
    },
  };
  const mine = newTestEntrance({ store: shortPages, instance: "mine" });
  const burst = ["a", "b", "c", "d"].map((name, index) => observed(place.burst(name), 10 + index));
  await mine.entrance.observe(burst);
  await mine.host.settled();
  await other.host.settled();
  expect(lists).toBeGreaterThan(1);
  expect(wrong).toEqual([]);
  expect([...mine.node().resources.keys()].filter((key) => /^(Rule|Node)\//.test(key))).toHaveLength(2);
});
