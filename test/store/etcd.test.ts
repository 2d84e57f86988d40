/** etcd as a store, by gRPC and by its JSON gateway, on a real one. */
import { randomUUID } from "node:crypto";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll } from "vitest";
import { openEtcd } from "../../shared/store/etcd.ts";
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import type { Store } from "../../shared/store/port.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { startStoreWorker } from "../harness/store-worker.ts";
import { runStoreConformance } from "./conformance.ts";
import { runLosses } from "./losses.ts";
import { remoteStore, setRemoteClockOff } from "./remote-store.ts";

const prefix = `entrance-${randomUUID()}`;
let etcd: EtcdCluster;
let workerd: Miniflare;
let worker: URL;
beforeAll(async () => {
  etcd = await startEtcd();
  workerd = await startStoreWorker("etcd-gateway.worker.ts", { bindings: { PREFIX: prefix } });
  worker = await workerd.ready;
});
afterAll(async () => {
  await workerd.dispose();
  await etcd.stop();
});

const port = () => Number(new URL(etcd.urls[0] ?? "").port);
const endpoints = (at: number) => [`http://127.0.0.1:${at}`];

const ways: Record<string, (at: number) => Store> = {
  "etcd by gRPC": (at) =>
    openEtcd({ endpoints: endpoints(at), user: undefined, ca: undefined, client: undefined, prefix }),
  "etcd by its JSON gateway": (at) => openEtcdGateway({ endpoints: endpoints(at), user: undefined, prefix, fetch }),
  "etcd by its JSON gateway, in workerd": (at) => remoteStore(worker, at),
};
for (const [name, open] of Object.entries(ways)) {
  const isRemote = name.endsWith("in workerd");
  runStoreConformance({
    name,
    open: async () => open(port()),
    ...(isRemote ? { setClockOff: (ms) => setRemoteClockOff(worker, ms) } : {}),
    isFar: true,
  });
  runLosses({ name, port, open, mayBeUncertain: [] });
}
