/** Entrance's namespace is deleted and Entrance is installed again, with its store or with a new one: nodes serve on. */
import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../../infra/wrangler.ts";
import { KEY } from "../../harness/node.ts";
import { until } from "../api.ts";
import { Installed } from "../installed.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, outcome, stopwatch, trafficTo } from "./drill.ts";
import { OldRoutes } from "./old-routes.ts";

let world: World;
const within = "deleted";
const host = "deleted.example";
/** What was written so far, and is to be served whatever comes later. */
const served = [host];

beforeAll(async () => {
  world = await World.start({ ENTRANCE_ETCD_PREFIX: "drill-first" });
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
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

async function comes(name: string): Promise<string> {
  const came = `${name}.deleted.example`;
  await world.apply(ingress(within, name, came, { to: "web" }));
  served.push(came);
  return came;
}

async function allAreServed(): Promise<void> {
  for (const each of served) await world.answers(each, 200);
}

test("with the store that it had", { timeout: 600_000 }, async () => {
  const old = await OldRoutes.serve(world, within, "old");
  served.push(old.moves);
  const traffic = trafficTo(world, host);
  const gone = stopwatch();
  await deleteNamespace();
  const deleted = gone();
  // The webhooks' configurations are left, and call nobody: writes pass all the same.
  const writing = stopwatch();
  const meanwhile = await comes("meanwhile");
  const written = writing();
  await old.change();
  expect((await world.node.get(meanwhile)).status).toBe(404);
  await old.areAsBefore();
  const installing = stopwatch();
  await install("drill-first");
  const installed = installing();
  // Nobody heard of it: the next LIST does, as the page for that day says.
  const listing = stopwatch();
  await world.installed.resync();
  await world.answers(meanwhile, 200);
  await old.areChanged();
  const listed = listing();
  await comes("after");
  await allAreServed();
  const counted = await traffic.stop();
  outcome(
    "namespace deleted, store kept",
    `deleted within ${deleted}, a write took ${written} without anybody, installed again within ${installed}; what ` +
      `came, moved and went meanwhile was so at the node ${listed} after a LIST was asked for`,
    counted,
  );
  expect(counted.wrong).toEqual([]);
});

test("with a new store, which the nodes are told of", { timeout: 600_000 }, async () => {
  const old = await OldRoutes.serve(world, within, "old-again");
  served.push(old.moves);
  const traffic = trafficTo(world, host);
  await deleteNamespace();
  const meanwhile = await comes("meanwhile-again");
  await old.change();
  await install("drill-second");
  const error = await until("it says whose the nodes are", async () => {
    const { balancers } = await world.installed.status();
    return balancers.flatMap(({ nodes }) => nodes).find((node) => node.error?.includes("another store"))?.error;
  });
  expect(error).toContain("npm run adopt");
  await until("everything is listed", async () => (await world.installed.status()).heard?.list);
  // Nobody tells the nodes anything yet.
  expect((await world.node.get(meanwhile)).status).toBe(404);
  await old.areAsBefore();
  const adopting = stopwatch();
  await adopt("drill-second");
  await comes("adopted");
  await old.areChanged();
  await allAreServed();
  const adopted = adopting();
  const counted = await traffic.stop();
  outcome("namespace and store deleted", `${adopted} after npm run adopt the nodes followed the new store`, counted);
  expect(counted.wrong).toEqual([]);
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
