/** etcd as a store, by gRPC and by its JSON gateway, on a real one. */
import { randomUUID } from "node:crypto";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll } from "vitest";
import { openEtcd } from "../../shared/store/etcd.ts";
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { startStoreWorker } from "../harness/store-worker.ts";
import { runStoreConformance } from "./conformance.ts";
import { runLosses } from "./losses.ts";
import { remoteStore } from "./remote-store.ts";

const prefix = `entrance-${randomUUID()}`;
let etcd: EtcdCluster;
let workerd: Miniflare;
beforeAll(async () => {
  etcd = await startEtcd();
  workerd = await startStoreWorker("etcd-gateway.worker.ts", { bindings: { ENDPOINTS: etcd.urls, PREFIX: prefix } });
});
afterAll(async () => {
  await workerd.dispose();
  await etcd.stop();
});

const byGrpc = (endpoints: readonly string[]) =>
  openEtcd({ endpoints, user: undefined, ca: undefined, client: undefined, prefix });
const byGateway = (endpoints: readonly string[]) => openEtcdGateway({ endpoints, user: undefined, prefix, fetch });

runStoreConformance({ name: "etcd by gRPC", open: async () => byGrpc(etcd.urls), isFar: true });
runStoreConformance({ name: "etcd by its JSON gateway", open: async () => byGateway(etcd.urls), isFar: true });
runStoreConformance({
  name: "etcd by its JSON gateway, in workerd",
  open: async () => remoteStore(await workerd.ready),
  oneClient: "one worker has one client",
  isFar: true,
});

const ways = { "etcd by gRPC": byGrpc, "etcd by its JSON gateway": byGateway };
for (const [name, open] of Object.entries(ways)) {
  runLosses({
    name,
    port: () => Number(new URL(etcd.urls[0] ?? "").port),
    open: (port) => open([`http://127.0.0.1:${port}`]),
    mayBeUncertain: [],
  });
}
