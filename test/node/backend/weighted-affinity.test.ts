// A rule with several pools, whose members are stuck to: who has a session keeps it, whatever the weights are by now.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { pool, rule, slice } from "../values.ts";

let node: TestNode;
let old: Backend;
let canary: Backend;

beforeAll(async () => {
  [old, canary] = await Promise.all([startBackend("old"), startBackend("canary")]);
  node = await startNode();
});
afterAll(() => Promise.all([node.stop(), old.close(), canary.close()]));

async function ask(host: string, cookie?: string): Promise<{ name: string; cookie: string | undefined }> {
  const { status, text, headers } = await node.get(host, "/", cookie === undefined ? {} : { headers: { cookie } });
  expect(status).toBe(200);
  return { name: (JSON.parse(text) as Echo).name, cookie: headers["set-cookie"]?.[0]?.split(";")[0] };
}

function weighted(host: string, ofOld: number, ofCanary: number) {
  const pools = [
    { pool: `Pool/shop/${host}-old/80`, weight: ofOld },
    { pool: `Pool/shop/${host}-canary/80`, weight: ofCanary },
  ];
  return rule(host, "", { pools });
}

async function route(host: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const changes = [
    ...[pool(`${host}-old`, settings), slice(`${host}-old`, [{ port: old.port }])],
    ...[pool(`${host}-canary`, settings), slice(`${host}-canary`, [{ port: canary.port }])],
    weighted(host, 1, 1),
  ];
  expect(await node.apply(changes)).toEqual([]);
}

const sticky = { affinity: { cookie: "entrance" } };

test("who has a session in one pool is not sent to another", async () => {
  await route("kept.example", sticky);
  const begun = [await ask("kept.example"), await ask("kept.example"), await ask("kept.example")];
  expect(new Set(begun.map(({ name }) => name))).toEqual(new Set(["old", "canary"]));
  for (const { name, cookie } of begun) {
    for (let round = 0; round < 6; round += 1) {
      expect(await ask("kept.example", cookie)).toEqual({ name, cookie: undefined });
    }
  }
});

test("a pool that gets nobody any more keeps nobody; nor does a member that is away, or a cookie of nobody's", async () => {
  await route("moved.example", sticky);
  const begun = [await ask("moved.example"), await ask("moved.example"), await ask("moved.example")];
  const session = begun.find(({ name }) => name === "canary")?.cookie;
  await node.apply([weighted("moved.example", 1, 0)]);
  expect((await ask("moved.example", session)).name).toBe("old");
  await node.apply([weighted("moved.example", 1, 1)]);
  expect((await ask("moved.example", session)).name).toBe("canary");
  await node.apply([slice("moved.example-canary", [{ port: old.port }])]);
  expect((await ask("moved.example", session)).cookie).toBeDefined();
  const answers = [];
  for (let round = 0; round < 4; round += 1) answers.push(await ask("moved.example", "entrance=AAAAAAAAAAAAAAAAAAAA"));
  expect(answers.every(({ cookie }) => cookie !== undefined)).toBe(true);
});
