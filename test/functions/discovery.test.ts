/** Nodes that are the endpoints of a Service: looked for beside the timer's work, which waits for no API. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Assembled, assemble } from "../../functions/assemble.ts";
import { readConfig } from "../../functions/config.ts";
import { dirtyKey, dirtyPartition, lockKey, nodeRecordKey, nodesPartition } from "../../shared/reconcile/keys.ts";
import { markText } from "../../shared/reconcile/mark.ts";
import { nodeRecordText } from "../../shared/reconcile/node-record.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { TestHost } from "../harness/entrance.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";

const slices = "/apis/discovery.k8s.io/v1/namespaces/edge/endpointslices";
const isSearch = (asked: string) => asked === `GET ${slices}`;
/** Far below what one request to an API that is away may take. */
const soon = { timeout: 2_000, interval: 10 };

let api: KubernetesServer;
let store: ReturnType<typeof openMemoryStore>;
let host: TestHost;
let assembled: Assembled;
/** Nodes that were asked for what they have. */
let asked: Set<string>;

beforeEach(async () => {
  api = await KubernetesServer.start();
  store = openMemoryStore();
  host = new TestHost();
  asked = new Set();
  const config = readConfig({
    ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", service: "edge/nodes:admin" }]),
  });
  assembled = assemble(config, store, host, {
    access: api.access,
    fetchOf: () => async (url) => {
      asked.add(new URL(String(url)).host);
      return new Response("{}", { status: 500 });
    },
  });
});

afterEach(async () => {
  api.release();
  await host.settled();
  await store.close();
  await api.stop();
});

function putNodes(...addresses: readonly string[]): void {
  api.put(`${slices}/nodes-a`, {
    metadata: { labels: { "kubernetes.io/service-name": "nodes" } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ports: [{ name: "admin", port: 10002 }],
  });
}

/** The lock of a process that died, and what it left to be done. */
async function leaveBehind(): Promise<void> {
  const key = dirtyKey({ kind: "Service", namespace: "shop", name: "web" });
  const dead = { holder: "dead", fence: 100, expires: Date.now() - 60_000 };
  const lock = await store.get(lockKey);
  const result = await store.commit(
    [{ key: lockKey, version: lock?.version ?? null }],
    [
      { key: lockKey, value: JSON.stringify(dead) },
      { key, value: markText(Date.now(), undefined) },
    ],
  );
  expect(result.ok).toBe(true);
}

const marks = async () => (await store.list(dirtyPartition, undefined, 10)).entries.length;

test.each(["the first tick", "a later one"])("an API that hangs holds up no takeover: %s", async (when) => {
  putNodes("10.0.0.1");
  if (when === "a later one") await assembled.tick();
  await host.settled();
  await leaveBehind();
  api.holds = isSearch;
  let isOver = false;
  const ticking = assembled.tick().finally(() => {
    isOver = true;
  });
  await expect.poll(marks, soon).toBe(0);
  await expect.poll(() => api.asked.some(isSearch), soon).toBe(true);
  // A host that stands still from then on leaves no promise behind.
  expect(isOver).toBe(false);
  api.release();
  await ticking;
});

test("nor does a tick that fails leave the search behind", async () => {
  api.holds = isSearch;
  vi.spyOn(store, "get").mockRejectedValueOnce(new Error("the store is away"));
  let isOver = false;
  const ticking = assembled.tick().finally(() => {
    isOver = true;
  });
  const failed = expect(ticking).rejects.toThrow("the store is away");
  await expect.poll(() => api.asked.some(isSearch), soon).toBe(true);
  expect(isOver).toBe(false);
  api.release();
  await failed;
});

test("nodes are brought along by the tick that finds them, though its own work has met none", async () => {
  await assembled.tick();
  await host.settled();
  expect(asked.size).toBe(0);
  putNodes("10.0.0.1");
  await assembled.tick();
  await host.settled();
  expect([...asked]).toEqual(["10.0.0.1:10002"]);
  putNodes("10.0.0.1", "10.0.0.2");
  await assembled.tick();
  await host.settled();
  expect([...asked]).toEqual(["10.0.0.1:10002", "10.0.0.2:10002"]);
});

/** Whose faults the store tells of. */
const recorded = async () =>
  (await store.list(nodesPartition("openresty"), undefined, 10)).entries.map(({ key }) => decodeURIComponent(key.sort));

test("nothing is kept of nodes that went, be it in the time of another process", async () => {
  const before = "https://10.0.0.9:10002";
  await store.commit([], [{ key: nodeRecordKey("openresty", before), value: nodeRecordText("away", 1, undefined) }]);
  api.holds = isSearch;
  const first = assembled.tick();
  await host.settled();
  // As long as nobody has said which are there.
  expect(await recorded()).toEqual([before]);
  putNodes("10.0.0.1", "10.0.0.2");
  api.release();
  await first;
  await assembled.tick();
  await host.settled();
  expect(await recorded()).toEqual(["https://10.0.0.1:10002", "https://10.0.0.2:10002"]);
  const balancer = assembled.entrance.context.balancers[0];
  if (balancer === undefined) throw new Error("no balancer");
  const gone = "https://10.0.0.2:10002";
  expect(assembled.entrance.pusher.memory(balancer, gone).failures).toBeGreaterThan(0);
  putNodes("10.0.0.1");
  await assembled.tick();
  await host.settled();
  expect(await recorded()).toEqual(["https://10.0.0.1:10002"]);
  expect(assembled.entrance.pusher.memory(balancer, gone).failures).toBe(0);
});

test("a balancer has 1,000 nodes at most, and says so once when a Service has more", async () => {
  const said = vi.spyOn(console, "warn").mockReturnValue();
  putNodes(...Array.from({ length: 1_010 }, (_, number) => `10.0.${Math.floor(number / 250)}.${number % 250}`));
  await assembled.findNodes();
  await assembled.findNodes();
  expect(assembled.entrance.context.balancers[0]?.nodes).toHaveLength(1_000);
  const aboutNodes = said.mock.calls.filter(([sentence]) => String(sentence).includes("1000 nodes"));
  said.mockRestore();
  expect(aboutNodes).toHaveLength(1);
});

test("an API that is away leaves those that were found last, and is asked once at a time", async () => {
  putNodes("10.0.0.1");
  await assembled.tick();
  const [balancer] = assembled.entrance.context.balancers;
  expect(balancer?.nodes).toEqual(["https://10.0.0.1:10002"]);
  const before = api.asked.filter(isSearch).length;
  api.holds = isSearch;
  const ticking = Promise.all([assembled.tick(), assembled.tick(), assembled.findNodes()]);
  await expect.poll(() => api.asked.filter(isSearch).length, soon).toBe(before + 1);
  expect(balancer?.nodes).toEqual(["https://10.0.0.1:10002"]);
  api.release();
  await ticking;
  expect(api.asked.filter(isSearch).length).toBe(before + 1);
});
