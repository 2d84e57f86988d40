/** Statuses that are not as they are to be: who became another one is told at once, the others by the LIST. */
import { expect, test } from "vitest";
import type { StatusApi, Told } from "../../shared/kubernetes/status-port.ts";
import { EntranceError } from "../../shared/model/error.ts";
import type { SeenReference } from "../../shared/model/observation.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { countedStore } from "../harness/counted-store.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { modelPlugin, newModelNode } from "../harness/model-node.ts";
import { observed, seenService } from "../harness/seen.ts";

const address = "192.0.2.1";
const routes = 5;
const ingress = (index: number): SeenReference => ({ kind: "Ingress", namespace: "shop", name: `www-${index}` });
const first = ingress(0);
const service: SeenReference = { kind: "Service", namespace: "shop", name: "web" };

/** A cluster with routes and a Service, which shows what it was told; listed once, and all of them told. */
async function started() {
  const cluster = new ListedCluster();
  /** By uid. */
  const statuses = new Map<string, Omit<Told, "uid">>();
  let isAway = false;
  const stated = (json: unknown): Told => {
    const { uid } = (json as { metadata: { uid: string } }).metadata;
    return { uid, addresses: [], ...statuses.get(uid) };
  };
  const status: StatusApi = {
    stated,
    async read(kind, reference) {
      if (isAway) throw new EntranceError("unavailable", "the API does not answer");
      return stated(await cluster.api.get(kind, reference));
    },
    async write(_kind, _reference, told) {
      statuses.set(told.uid, told);
      return true;
    },
    tell: async () => undefined,
  };
  const node = newModelNode();
  const balancer = {
    name: "openresty",
    classes: ["entrance"],
    plugin: modelPlugin(new Map([["http://node-1", node]])),
    nodes: ["http://node-1"],
    addresses: [address],
  };
  const { store, operations } = countedStore(openMemoryStore());
  const test = newTestEntrance({ store, kubernetes: cluster, status, balancers: [balancer] });
  const paths = [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }];
  const put = (reference: SeenReference, uid?: string) => {
    const rules = [{ host: `${reference.name}.example`, http: { paths } }];
    cluster.put(reference, { spec: { ingressClassName: "entrance", rules } }, {}, uid);
  };
  for (let index = 0; index < routes; index += 1) put(ingress(index));
  const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }];
  const putService = (more: object = {}) => cluster.put(service, { spec: { ports, ...more } });
  putService();
  const after = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      test.clock += Math.min(5_000, left);
      await test.entrance.tick();
      await test.host.settled();
    }
  };
  await after(10_000);
  const shown = async (reference: SeenReference) => stated(await cluster.api.get(reference.kind, reference)).addresses;
  for (let index = 0; index < routes; index += 1) expect(await shown(ingress(index))).toEqual([address]);
  return {
    statuses,
    operations,
    shown,
    after,
    balancer,
    test,
    putService,
    away: (is: boolean) => {
      isAway = is;
    },
    put,
  };
}

test("a Service that serves routes already, and becomes a load balancer, is told at once", async () => {
  const { test, shown, after, putService } = await started();
  const loadBalancerClass = "entrance.dev/openresty";
  const version = putService({ type: "LoadBalancer", loadBalancerClass });
  await test.entrance.observe([
    observed(seenService("shop", "web", { type: "LoadBalancer", loadBalancerClass }), version),
  ]);
  await after(10_000);
  expect(await shown(service)).toEqual([address]);
});

test("another object of the same name and content", async () => {
  const { shown, after, put } = await started();
  put(first, "another");
  await after(600_000);
  expect(await shown(first)).toEqual([address]);
});

test("addresses that the operator corrects", async () => {
  const { shown, after, balancer } = await started();
  balancer.addresses = ["192.0.2.2"];
  await after(300_000);
  expect(await shown(first)).toEqual(["192.0.2.2"]);
});

test("what could not be told for as long as anybody tried, and what somebody has taken away since", async () => {
  const { shown, after, statuses, away } = await started();
  statuses.clear();
  away(true);
  await after(900_000);
  expect(await shown(first)).toEqual([]);
  away(false);
  await after(300_000);
  expect(await shown(first)).toEqual([address]);
});

test("of those that are told as they should be nothing more is read", async () => {
  const { after, operations } = await started();
  await after(600_000);
  const before = operations.length;
  await after(300_000);
  const looked = operations
    .slice(before)
    .filter(({ call, reads }) => call === "get" && reads.some((key) => key.startsWith("want/")));
  expect(looked).toEqual([]);
});
