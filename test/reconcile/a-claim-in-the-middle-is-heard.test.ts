/** Whoever claims a pool of a Service while that Service is being translated has the pool no later than its rule. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, watchedStore } from "../harness/served.ts";

const ports = [80, 81].map((port) => ({ name: `p${port}`, port, protocol: "TCP" as const, targetPort: 8_080 }));

function routeTo(...numbers: number[]) {
  const paths = numbers.map((port) => ({
    path: `/${port}`,
    pathType: "Prefix" as const,
    backend: { service: "web", port },
  }));
  return seenIngress("shop", "web", [], "", { rules: [{ host: "www.shop.example", paths }] });
}

test("a Service that is about to lose a pool keeps it for a route that comes back to it", async () => {
  const store = openMemoryStore();
  const wrong: string[] = [];
  const watched = watchedStore(store, (wants) => wrong.push(...dangling(wants, "members")));
  const other = newTestEntrance({ store: watched, instance: "other" });
  const slice = seenSlice("shop", "web", ["10.0.0.1"]);
  const members = { ...slice, ports: ports.map(({ name }) => ({ name, port: 8_080, protocol: "TCP" as const })) };
  await other.entrance.observe([
    observed(seenService("shop", "web", { ports }), 5),
    observed(members, 6),
    observed(routeTo(80, 81), 7),
  ]);
  await other.host.settled();

  let isBack = false;
  const mine = newTestEntrance({
    instance: "mine",
    store: {
      ...watched,
      async list(partition, after, limit) {
        const page = await watched.list(partition, after, limit);
        // The claims of the Service have just been read.
        if (partition === "users/Service/shop/web" && !isBack) {
          isBack = true;
          await other.entrance.observe([observed(routeTo(81), 12)]);
        }
        return page;
      },
    },
  });
  await mine.entrance.observe([
    observed(routeTo(80), 10),
    observed(seenService("shop", "web", { ports, labels: { event_id: "2" } }), 11),
  ]);
  await mine.host.settled();
  await other.host.settled();
  expect(isBack).toBe(true);
  expect(wrong).toEqual([]);
});
