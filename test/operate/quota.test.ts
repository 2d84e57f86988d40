/** Entrance on an etcd whose quota somebody has used up: webhooks come again, nodes serve on, and it recovers by itself. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEtcd } from "../../shared/store/etcd.ts";
import { Caller } from "../functions/caller.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { makeRoom, smallestQuota } from "../harness/etcd-room.ts";
import { type ProcessHost, startProcessHost } from "../harness/process-host.ts";

let etcd: EtcdCluster;
let host: ProcessHost;
beforeAll(async () => {
  etcd = await startEtcd({ args: smallestQuota });
  host = await startProcessHost("node", { ENTRANCE_STORE: "etcd", ENTRANCE_ETCD_ENDPOINTS: etcd.urls.join(",") });
});
afterAll(async () => {
  await host.stop();
  await etcd.stop();
});

async function useUp(): Promise<void> {
  const store = openEtcd({
    endpoints: etcd.urls,
    user: undefined,
    ca: undefined,
    client: undefined,
    prefix: "another",
  });
  const key = { partition: "p", sort: "large" };
  const full = async () => {
    for (let times = 0; times < 100; times += 1) {
      await store.commit([], [{ key, value: `${times}${"x".repeat(300_000)}` }]);
    }
  };
  await expect(full()).rejects.toMatchObject({ code: "busy" });
  // What one had made room for has gone by now.
  await expect(full()).rejects.toMatchObject({ code: "busy" });
  await store.close();
}

test("nothing is lost but time", async () => {
  const caller = new Caller(host);
  await caller.expectToWork("before");
  await useUp();
  const { audited } = caller.asking("meanwhile", { "entrance.dev/http": "meanwhile.example" });
  const refused = await caller.post("/audit", audited);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await refused.json()).toMatchObject({ error: "busy", message: expect.stringMatching(/defrag.*alarm disarm/) });
  expect((await host.node.get("before.example")).status).toBe(503);
  expect((await caller.fetch("/readyz")).status).toBe(200);
  expect((await caller.fetch("/status")).status).toBe(200);

  await makeRoom(etcd);
  expect((await caller.post("/audit", audited)).status).toBe(200);
  await caller.settled();
  expect((await host.node.get("meanwhile.example")).status).toBe(503);
  await caller.expectToWork("after");
});
