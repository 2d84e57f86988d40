/** Who tells users what became of their objects, and when. */
import { expect, test } from "vitest";
import type { StatusApi } from "../../shared/kubernetes/status-port.ts";
import type { Reference } from "../../shared/model/reference.ts";
import { Announcer } from "../../shared/reconcile/announcer.ts";
import { announcePartition, dirtyKey } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance, testNode } from "../harness/entrance.ts";
import { modelPlugin, newModelNode } from "../harness/model-node.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const routes = 25;
const observations = Array.from({ length: routes }, (_, number) =>
  observed(seenIngress("shop", `www-${number}`, [`${number}.example`], "web"), 10 + number),
);

/** Two copies on one store; `told` has the names in the order in which they were told of. */
async function started() {
  const store = openMemoryStore();
  const told: string[] = [];
  const status: StatusApi = {
    async read(_kind, { name }: Reference) {
      const { uid = "" } = observations.find(({ reference }) => reference.name === name) ?? {};
      return { uid, addresses: [] };
    },
    async write(_kind, { name }) {
      told.push(name);
      return true;
    },
    stated: () => undefined,
    tell: async () => undefined,
  };
  const nodes = new Map([[testNode, newModelNode()]]);
  const balancers = [
    {
      name: "openresty",
      classes: ["entrance"],
      plugin: modelPlugin(nodes),
      nodes: [testNode],
      addresses: ["192.0.2.1"],
    },
  ];
  const copies = ["a", "b"].map((instance) => newTestEntrance({ store, status, nodes, balancers, instance }));
  const [one, other] = copies as [(typeof copies)[0], (typeof copies)[0]];
  const members = seenSlice("shop", "web", ["10.0.0.1"]);
  await one.entrance.observe([observed(seenService("shop", "web"), 1), observed(members, 2), ...observations]);
  await one.host.settled();
  const notes = async () => (await listAll(store, announcePartition)).length;
  expect(await notes()).toBeGreaterThanOrEqual(routes);
  return { store, told, one, other, notes };
}

const names = observations.map(({ reference }) => reference.name).sort();

test("two copies share the work: each user is told once", async () => {
  const { told, one, other, notes } = await started();
  await Promise.all([one, other].map(({ context }) => new Announcer(context).tick()));
  expect([...told].sort()).toEqual(names);
  expect(await notes()).toBe(0);
});

test("it waits while something is to be translated, for a quarter of a minute at most", async () => {
  const { store, told, one, notes } = await started();
  const announcer = new Announcer(one.context);
  const mark = dirtyKey({ kind: "Service", namespace: "shop", name: "web" });
  await store.commit([], [{ key: mark, value: '{"first":1,"tries":0}' }]);
  await announcer.tick();
  one.clock += 14_999;
  await announcer.tick();
  expect(told).toEqual([]);
  one.clock += 1;
  await announcer.tick();
  expect([...told].sort()).toEqual(names);
  expect(await notes()).toBe(0);
});
