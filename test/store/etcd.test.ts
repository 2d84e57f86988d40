/** etcd as a store, by gRPC and by its JSON gateway, on a real one. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { openEtcd } from "../../shared/store/etcd.ts";
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { runStoreConformance } from "./conformance.ts";

let etcd: EtcdCluster;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

const prefix = `entrance-${randomUUID()}`;
runStoreConformance({
  name: "etcd by gRPC",
  open: async () => openEtcd({ endpoints: etcd.urls, user: undefined, ca: undefined, client: undefined, prefix }),
});
runStoreConformance({
  name: "etcd by its JSON gateway",
  open: async () => openEtcdGateway({ endpoints: etcd.urls, user: undefined, prefix, fetch }),
});
