// The folder a node runs in: only checked numbers, addresses and names become configuration.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type NodeOptions, prepareNode } from "../../infra/openresty/prepare.ts";
import { KEY } from "../harness/node.ts";

const directory = mkdtempSync(join(tmpdir(), "entrance-prepare-"));
const ports = { http: 1080, https: 10_443, admin: 10_002, health: 10_003, waiting: 10_004 };
const good: NodeOptions = { directory, ports, workers: 2, keys: [KEY] };

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each<[string, Partial<NodeOptions>, RegExp]>([
  ["a port of 99999", { ports: { ...ports, http: 99_999 } }, /ports\.http must be a whole number/],
  ["a port that is no number", { ports: { ...ports, admin: Number.NaN } }, /ports\.admin/],
  ["an address that is a name", { bind: { http: "localhost;" } }, /bind\.http must be an IP address/],
  ["no worker", { workers: 0 }, /workers must be/],
  ["no key", { keys: [] }, /one or two keys/],
  ["three keys", { keys: [KEY, KEY, KEY] }, /one or two keys/],
  ["a key with a line break", { keys: [`${KEY}\nmore`] }, /visible ASCII/],
  ["a short key", { keys: ["short"] }, /16 to 256/],
  ["a suffix with a quote", { suffix: 'a";}' }, /suffix must be a DNS name/],
  ["a folder with a quote", { directory: `${directory}/a";` }, /the node's folder needs a path without/],
  ["too little memory", { memoryMiB: 0 }, /memoryMiB/],
])("%s is refused", (_, options, sentence) => {
  expect(() => prepareNode({ ...good, ...options })).toThrow(sentence);
});

test("keys are in one file for the owner's eyes, and nowhere else", () => {
  const { command, args } = prepareNode({ ...good, suffix: "apps.example", bind: { http: "::" } });
  expect([command, ...args].join(" ")).not.toContain(KEY);
  for (const path of readdirSync(directory, { recursive: true }).map((name) => join(directory, String(name)))) {
    if (!statSync(path).isFile()) continue;
    const holdsKey = readFileSync(path, "utf8").includes(KEY);
    expect([path, holdsKey]).toEqual([path, path === join(directory, "conf/keys")]);
  }
  expect(statSync(join(directory, "conf/keys")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, "conf/node/http.conf"), "utf8")).toBe("listen [::]:1080 backlog=4096;\n");
});
