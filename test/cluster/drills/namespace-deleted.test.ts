/** Entrance's namespace is deleted and Entrance is installed again, with its store or with a new one: nodes serve on. */
import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../../infra/wrangler.ts";
import { KEY } from "../../harness/node.ts";
import { until } from "../api.ts";
import { Installed } from "../installed.ts";
import { ingress } from "../objects.ts";
import { World } from "../world.ts";
import { application, outcome, stopwatch, Traffic } from "./drill.ts";

let world: World;
const within = "deleted";
const host = "deleted.example";

beforeAll(async () => {
  world = await World.start({ ENTRANCE_ETCD_PREFIX: "drill-first" });
  await application(world, within, host);
});

afterAll(() => world?.stop());

async function deleteNamespace(): Promise<void> {
  const { code, err } = await world.kubectl("delete", "namespace", "entrance", "--timeout=120s");
  if (code !== 0) throw new Error(err);
}

async function install(prefix: string): Promise<void> {
  const nodes = [`http://127.0.0.1:${world.node.ports.admin}`];
  await Installed.install(world.facts, { nodes, nodeKey: KEY, settings: { ENTRANCE_ETCD_PREFIX: prefix } });
}

test("with the store that it had", { timeout: 600_000 }, async () => {
  const traffic = new Traffic(world, host);
  const gone = stopwatch();
  await deleteNamespace();
  const deleted = gone();
  // The webhooks' configurations are left, and call nobody: writes pass all the same.
  const writing = stopwatch();
  await world.apply(ingress(within, "meanwhile", "meanwhile.deleted.example", { to: "web" }));
  const written = writing();
  expect((await world.node.get("meanwhile.deleted.example")).status).toBe(404);
  const installing = stopwatch();
  await install("drill-first");
  const installed = installing();
  // Nobody heard of it: the next LIST does, as the page for that day says.
  const listing = stopwatch();
  await world.installed.resync();
  await world.answers("meanwhile.deleted.example", 200);
  const listed = listing();
  await world.apply(ingress(within, "after", "after.deleted.example", { to: "web" }));
  await world.answers("after.deleted.example", 200);
  const counted = await traffic.stop();
  outcome(
    "namespace deleted, store kept",
    `deleted within ${deleted}, a write took ${written} without anybody, installed again within ${installed}; what was ` +
      `written meanwhile was served ${listed} after a LIST was asked for`,
    counted,
  );
  expect([...counted.failed]).toEqual([]);
});

test("with a new store, which the nodes are told of", { timeout: 600_000 }, async () => {
  const traffic = new Traffic(world, host);
  await deleteNamespace();
  await install("drill-second");
  const error = await until("it says whose the nodes are", async () => {
    const { balancers } = await world.installed.status();
    return balancers.flatMap(({ nodes }) => nodes).find((node) => node.error?.includes("another store"))?.error;
  });
  expect(error).toContain("npm run adopt");
  await until("everything is listed", async () => (await world.installed.status()).heard?.list);
  expect((await world.node.get(host)).status).toBe(200);
  const adopting = stopwatch();
  await adopt("drill-second");
  await world.apply(ingress(within, "adopted", "adopted.deleted.example", { to: "web" }));
  await world.answers("adopted.deleted.example", 200);
  const adopted = adopting();
  const counted = await traffic.stop();
  outcome("namespace and store deleted", `${adopted} after npm run adopt the nodes followed the new store`, counted);
  expect([...counted.failed]).toEqual([]);
});

/** As an operator types it. */
function adopt(prefix: string): Promise<void> {
  const env = {
    ...process.env,
    ENTRANCE_STORE: "etcd",
    ENTRANCE_ETCD_ENDPOINTS: world.facts.store,
    ENTRANCE_ETCD_PREFIX: prefix,
  };
  return new Promise((resolve, reject) => {
    const args = [`${root}functions/operator.ts`, "adopt", "openresty", "--yes"];
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(said))));
  });
}
