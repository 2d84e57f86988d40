// The node's pure Lua and its TypeScript siblings say the same.
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { prepareNode } from "../../infra/openresty/prepare.ts";
import { addToDigest, emptyDigest, removeFromDigest } from "../../shared/model/digest.ts";
import { comparePrecedence } from "../../shared/model/precedence.ts";
import { nodeKey, parseResourceKey, poolKey, ruleKey } from "../../shared/model/resource-key.ts";
import { freePorts, KEY, request } from "../harness/node.ts";

const directory = mkdtempSync(join(tmpdir(), "entrance-lua-"));
let nginx: ChildProcess | undefined;
let port = 0;

beforeAll(async () => {
  const [http = 0, admin = 0, health = 0, waiting = 0] = await freePorts(4);
  const prepared = prepareNode({ directory, ports: { http, admin, health, waiting }, workers: 1, keys: [KEY] });
  port = http;
  copyFileSync(new URL("pure.lua", import.meta.url), join(directory, "pure.lua"));
  writeFileSync(
    join(directory, "conf/nginx.conf"),
    `include node/modules/*.conf;
    include node/process.conf;
    daemon off;
    pid logs/nginx.pid;
    events {}
    http {
      lua_package_path "$prefix/?.lua;$prefix/lua/?.lua;;";
      init_by_lua_block { pure = require "pure" }
      access_log off;
      server {
        listen 127.0.0.1:${port};
        client_max_body_size 16m;
        client_body_buffer_size 16m;
        location / { content_by_lua_block { pure() } }
      }
    }`,
  );
  nginx = spawn(prepared.command, [...prepared.args], { stdio: ["ignore", "inherit", "inherit"] });
  await vi.waitFor(() => ask("digest", []), { timeout: 10_000 });
});

afterAll(async () => {
  const exited = new Promise((resolve) => nginx?.once("exit", resolve));
  nginx?.kill();
  await exited;
  rmSync(directory, { recursive: true, force: true });
});

async function ask(path: string, body: unknown): Promise<unknown> {
  const { text } = await request(port, `/${path}`, { method: "POST", body: JSON.stringify(body) });
  return JSON.parse(text);
}

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,3}[a-z0-9])?$/);
const match = fc.record({ type: fc.constant("exact" as const), name, value: fc.string() });
const rankedRule = fc.record({
  rule: fc.record({
    matches: fc.record(
      {
        path: fc.record({
          type: fc.constantFrom("exact", "prefix", "start", "regex"),
          value: fc.oneof(fc.constantFrom("/", "/a", "/a/b", "/ä", "/a/"), fc.string({ unit: "grapheme" })),
        }),
        method: fc.constantFrom("GET", "POST"),
        headers: fc.array(match, { maxLength: 2 }),
        query: fc.array(match, { maxLength: 2 }),
      },
      { requiredKeys: ["path"] },
    ),
    owner: fc.record({
      kind: fc.constantFrom("Ingress", "Service"),
      namespace: name,
      name,
      created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", ""),
    }),
  }),
  number: fc.nat({ max: 1000 }),
});

test("precedence", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(rankedRule, { minLength: 2, maxLength: 12, selector: (it) => it.number }),
      async (rules) => {
        const expected = rules
          .map((it, place) => ({ it, place }))
          .sort((a, b) => comparePrecedence(a.it, b.it))
          .map(({ place }) => place);
        expect(
          await ask(
            "precedence",
            rules.map(({ rule, number }) => ({ ...rule, number })),
          ),
        ).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

const hash = fc.stringMatching(/^[0-9a-f]{40}$/);

test("digest", async () => {
  const step = fc.tuple(fc.constantFrom(1, -1), fc.string({ unit: "grapheme" }), hash);
  await fc.assert(
    fc.asyncProperty(fc.array(step), async (steps) => {
      const expected = steps.reduce(
        (digest, [sign, key, of]) => (sign === 1 ? addToDigest : removeFromDigest)(digest, key, of),
        emptyDigest,
      );
      expect(await ask("digest", steps)).toEqual([expected]);
    }),
    { numRuns: 200 },
  );
});

test("keys that Entrance makes are understood", async () => {
  const host = fc.constantFrom("*", "*.shop.example", "www.shop.example", "a_b.example");
  const key = fc.oneof(
    fc.tuple(name, name, fc.nat({ max: 65_535 })).map(([a, b, number]) => poolKey(a, b, number)),
    fc.tuple(name, name, name).map(([a, b, c]) => nodeKey(a, b, 80, c)),
    fc.tuple(host, name, name).map(([a, b, c]) => ruleKey(a, { kind: "Ingress", namespace: b, name: c }, 0)),
    fc.stringMatching(/^[A-Za-z ]{1,9}$/).map((text) => poolKey(text, "x", 1)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(key, { minLength: 1, maxLength: 20 }), async (keys) => {
      expect(await ask("key", keys)).toEqual(keys.map((text) => parseResourceKey(text)?.segments));
    }),
    { numRuns: 100 },
  );
});

test("JSON is cut into its members and items, exactly as they were written", async () => {
  const space = fc.constantFrom("", " ", "\n\t");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json(), { minLength: 1 }), space, async (values, gap) => {
      const list = `${gap}[${gap}${values.join(`${gap},${gap}`)}${gap}]${gap}`;
      const members = values.map((value, place) => `"k${place}\\""${gap}:${gap}${value}`);
      const object = `{${gap}${members.join(`${gap},${gap}`)}${gap}}`;
      const named = Object.fromEntries(values.map((value, place) => [`k${place}"`, value]));
      expect(await ask("cut", [list, object])).toEqual([values, named]);
    }),
    { numRuns: 200 },
  );
});
