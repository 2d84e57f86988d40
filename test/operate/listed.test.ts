/** A package in a new place, where there is a Kubernetes API: everything is listed before anything is pushed. */
import { expect, test } from "vitest";
import { closeStore } from "../../shared/operate/close.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { importInto, operatingOn, packageOf } from "./operating.ts";

const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }];

function put(cluster: ListedCluster, name: string): void {
  const service = { kind: "Service", namespace: "shop", name } as const;
  cluster.put(service, { spec: { ports } }, { "entrance.dev/http": `${name}.example` });
}

async function tickAt(it: TestEntrance, ms: number): Promise<void> {
  it.clock += ms;
  await it.entrance.tick();
  await it.host.settled();
}

const domainsOn = (it: TestEntrance) => [...it.node().resources.keys()].filter((key) => key.startsWith("Domain/"));

test("what changed on the way is in the first thing that the nodes hear", async () => {
  const cluster = new ListedCluster();
  for (const name of ["stays", "goes"]) put(cluster, name);
  const old = newTestEntrance({ kubernetes: cluster });
  await tickAt(old, 0);
  expect(domainsOn(old)).toEqual(["Domain/goes.example", "Domain/stays.example"]);
  await closeStore(old.context.store, old.clock);
  const lines = await packageOf(operatingOn(old));
  // Nobody hears of it.
  cluster.remove({ kind: "Service", namespace: "shop", name: "goes" });
  put(cluster, "comes");

  const store = openMemoryStore();
  await importInto(store, lines);
  const sent = old.node().accepted.length;
  cluster.isAway = true;
  const next = newTestEntrance({ kubernetes: cluster, store, nodes: old.nodes, startMs: old.clock });
  await tickAt(next, 1_000);
  await tickAt(next, 11_000);
  expect(next.node().accepted).toHaveLength(sent);
  cluster.isAway = false;
  await tickAt(next, 11_000);
  expect(next.node().accepted).toHaveLength(sent + 1);
  expect(domainsOn(next)).toEqual(["Domain/comes.example", "Domain/stays.example"]);
  // The store that was left lists nothing, and so leaves nobody in doubt.
  await expect(old.entrance.tick()).rejects.toMatchObject({ code: "busy" });
});
