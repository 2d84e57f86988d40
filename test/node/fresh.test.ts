// 200 means: every request begun afterwards, on every worker, sees it; and what it sees is of one revision.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { pool, rule, slice } from "./values.ts";

const WORKERS = 4;
const backends: Backend[] = [];
let node: TestNode;

beforeAll(async () => {
  for (const name of ["even", "odd"]) backends.push(await startBackend(name));
  node = await startNode({ workers: WORKERS });
  await node.apply(
    ["even", "odd"].flatMap((name, place) => [pool(name), slice(name, [{ port: backends[place]?.port ?? 0 }])]),
  );
});

afterAll(async () => {
  await node?.stop();
  for (const backend of backends) await backend.close();
});

/** Requests side by side, so that several workers take their connections. */
async function everybody(host: string, path = "/"): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => node.get(host, path)));
  return answers.map(({ status, text }) => (status === 200 ? (JSON.parse(text) as Echo).name : String(status)));
}

test("right after 200 no worker answers by what was before", async () => {
  const wrong: string[] = [];
  for (let round = 0; round < 150; round++) {
    const target = round % 2 === 0 ? "even" : "odd";
    await node.apply([rule("www.example", target)]);
    wrong.push(...(await everybody("www.example")).filter((name) => name !== target));
  }
  expect(wrong).toEqual([]);
  await sleep(1500);
  const lines = readFileSync(join(node.directory, "logs/access.log"), "utf8").trim().split("\n");
  const pids = new Set(lines.map((line) => (JSON.parse(line) as { worker: number }).worker));
  expect(pids.size).toBe(WORKERS);
});

test("a route that comes and goes is there and gone at once", async () => {
  for (let round = 0; round < 50; round++) {
    const change = rule("comes.example", "even", { name: "comes" });
    await node.apply([change]);
    expect(new Set(await everybody("comes.example"))).toEqual(new Set(["even"]));
    await node.apply([{ key: change.key, value: null }]);
    expect(new Set(await everybody("comes.example"))).toEqual(new Set(["404"]));
  }
});

test("a batch is never seen in parts: pools that exchange their members, rules that follow", async () => {
  // In every revision the rule leads, by another pool each time, to "even"; a mixture would lead to "odd" or nowhere.
  const portOf = (place: number) => backends[place]?.port ?? 0;
  const state = (round: number) => {
    const [now, before] = round % 2 === 0 ? ["left", "right"] : ["right", "left"];
    return [
      pool(now),
      slice(now, [{ port: portOf(0) }]),
      { ...pool(before), value: null },
      { ...slice(before, []), value: null },
      rule("torn.example", now, { name: "torn" }),
    ];
  };
  await node.apply(state(0));
  let running = true;
  const seen = new Set<string>();
  const asked = Array.from({ length: 4 }, async () => {
    while (running) for (const name of await everybody("torn.example")) seen.add(name);
  });
  for (let round = 1; round < 300; round++) await node.apply(state(round));
  running = false;
  await Promise.all(asked);
  expect([...seen]).toEqual(["even"]);
});

test("a snapshot is seen whole, while requests go on", async () => {
  const many = Array.from({ length: 2000 }, (_, place) => rule(`h${place}.example`, "even", { name: `h${place}` }));
  node.sender.changes([...many, rule("torn.example", "odd", { name: "torn" })]);
  let running = true;
  const statuses = new Set<string>();
  const asked = (async () => {
    while (running) for (const name of await everybody("h1999.example")) statuses.add(name);
  })();
  const put = await node.put(node.sender.snapshot());
  expect(put.status).toBe(200);
  expect(new Set(await everybody("h0.example"))).toEqual(new Set(["even"]));
  expect(new Set(await everybody("h1999.example"))).toEqual(new Set(["even"]));
  running = false;
  await asked;
  expect([...statuses].every((name) => name === "even" || name === "404")).toBe(true);
  expect((await node.state()).counts["Rule"]).toBe(2002);
});
