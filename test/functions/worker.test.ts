/** The worker as it is deployed, on bindings alone: nobody tells it where its socket listens. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../../infra/build.ts";
import { wrangler } from "../../infra/wrangler.ts";
import { doorBodies } from "../harness/door-bodies.ts";

const webhook = "a-token-of-the-webhooks";
const operator = "a-token-of-the-operators";
let folder: string;
let contents: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-worker-"));
  await bundle("worker", path.join(folder, "worker.js"));
  contents = readFileSync(path.join(folder, "worker.js"), "utf8");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What it answers at each of these paths, with this token. */
async function answers(
  bindings: Readonly<Record<string, string>>,
  paths: readonly string[],
  token?: string,
): Promise<readonly Answer[]> {
  const workerd = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents }],
    compatibilityDate: wrangler.compatibility_date,
    compatibilityFlags: wrangler.compatibility_flags,
    bindings: { ...bindings },
    durableObjects: { ENTRANCE: { className: "Entrance", useSQLite: true } },
    cf: false,
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      stdout.resume();
      stderr.resume();
    },
  });
  try {
    const found: Answer[] = [];
    for (const each of paths) {
      const body = doorBodies[each];
      const headers = {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await workerd.dispatchFetch(`http://entrance.example${each}`, init);
      found.push({ status: answer.status, text: await answer.text() });
    }
    return found;
  } finally {
    await workerd.dispose();
  }
}

const webhooks = ["/admission", "/audit"];
const operators = ["/resync", "/store", "/status", "/metrics", "/"];
const all = [...webhooks, ...operators];

/** Those of all paths that this token opens. */
async function opened(bindings: Readonly<Record<string, string>>, token?: string): Promise<readonly string[]> {
  const found = await answers(bindings, all, token);
  return all.filter((_, index) => found[index]?.status !== 401);
}

test.each([{}, { ENTRANCE_LISTEN: "" }])("with %o it wants a token, and opens nothing without", async (bindings) => {
  for (const { status, text } of await answers(bindings, all)) {
    expect(status).toBe(500);
    expect(text).toContain(
      "ENTRANCE_WEBHOOK_TOKEN is needed unless ENTRANCE_LISTEN is a loopback address: set a token of your own",
    );
  }
});

test("with tokens each opens its own, and nothing opens without one", async () => {
  const bindings = { ENTRANCE_WEBHOOK_TOKEN: webhook, ENTRANCE_OPERATOR_TOKEN: operator };
  expect(await opened(bindings)).toEqual([]);
  expect(await opened(bindings, webhook)).toEqual(webhooks);
  expect(await opened(bindings, operator)).toEqual(operators);
});

test("told that it listens on loopback it wants none, as elsewhere", async () => {
  for (const { status } of await answers({ ENTRANCE_LISTEN: "127.0.0.1:8787" }, [...webhooks, "/status"])) {
    expect(status).toBe(200);
  }
});
