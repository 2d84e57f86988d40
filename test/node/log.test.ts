// What the access log says of a request, and what becomes of logs that can't be written.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { application, pool, rule, slice } from "./values.ts";

type Line = Readonly<Record<string, string | number>>;

function linesOf(node: TestNode, file = "access.log"): Line[] {
  const text = readFileSync(join(node.directory, "logs", file), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** The log is written once a second, or when its buffer is full. */
function lineOf(node: TestNode, uri: string, file?: string): Promise<Line> {
  return vi.waitFor(
    () => {
      const line = linesOf(node, file).find((each) => each["uri"] === uri);
      if (line === undefined) throw new Error(`no line of ${uri}`);
      return line;
    },
    { timeout: 10_000, interval: 50 },
  );
}

let backend: Backend;
let node: TestNode;

beforeAll(async () => {
  backend = await startBackend("logged");
  node = await startNode();
  await node.apply([
    ...application("plain.example", "plain", [{ port: backend.port }]),
    pool("rich"),
    slice("rich", [{ port: backend.port }]),
    rule("rich.example", "rich", { name: "rich", more: { timeouts: { request: "30s" } } }),
    ...application("empty.example", "empty", []),
    ...application("failing.example", "failing", [{ port: 9 }]),
  ]);
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
});

const ruleOf = (name: string) => `Rule/${name}.example/Ingress/shop/${name}/0`;

describe("rule, pool and member, by whichever way a request goes", () => {
  test.each<[string, string, string, object, Line]>([
    ["the fast one", "plain", "/fast", {}, { status: 200, method: "GET" }],
    ["weighed", "plain", "/weighed", { method: "POST", body: "x" }, { status: 200, method: "POST" }],
    ["a rule that asks for more", "rich", "/rich", {}, { status: 200 }],
    ["nobody there", "empty", "/empty", {}, { status: 503, node: "" }],
    ["a member that fails", "failing", "/failing", {}, { status: 502 }],
  ])("%s", async (_, name, path, options, expected) => {
    await node.get(`${name}.example`, path, options);
    const line = await lineOf(node, path);
    expect(line).toMatchObject({
      rule: ruleOf(name),
      pool: `Pool/shop/${name}/80`,
      host: `${name}.example`,
      ...expected,
    });
    if (expected["status"] === 200) expect(line["node"]).toContain(`127.0.0.1:${backend.port}`);
  });

  test("a host that nobody has", async () => {
    await node.get("unknown.example", "/unknown");
    expect(await lineOf(node, "/unknown")).toMatchObject({ status: 404, rule: "", pool: "", node: "" });
  });

  test("all that a line says", async () => {
    const headers = { "user-agent": 'a "quoted" \u0009 one', referer: "http://from.example/" };
    await node.get("plain.example", "/all", { headers });
    const line = await lineOf(node, "/all");
    expect(Object.keys(line)).toEqual([
      ...["time", "id", "client", "method", "host", "uri", "protocol", "status", "bytes", "seconds", "rule", "pool"],
      ...["node", "connect", "header", "response", "tls", "agent", "referer", "worker"],
    ]);
    expect(line).toMatchObject({ client: "127.0.0.1", protocol: "HTTP/1.1", tls: "", agent: 'a "quoted" \u0009 one' });
    expect(line).toMatchObject({ referer: "http://from.example/", header: expect.stringMatching(/^\d+\.\d{3}$/) });
  });
});

describe("a request's id", () => {
  const sent = async (id: string | undefined, path: string) => {
    const headers: Record<string, string> = id === undefined ? {} : { "x-request-id": id };
    await node.get("plain.example", path, { headers });
    return (await lineOf(node, path))["id"];
  };

  test("is the node's own, another for each request, and what the backend hears", async () => {
    const first = await sent(undefined, "/id/1");
    const second = await sent(undefined, "/id/2");
    expect(first).toMatch(/^[0-9a-f]{8}-\d+-\d+$/);
    expect(second).not.toBe(first);
    const heard = async (method: string, host = "plain.example") => {
      const { text } = await node.get(host, "/heard", { method, headers: { "x-request-id": "from.the-client_1" } });
      return (JSON.parse(text) as { headers: Record<string, string> }).headers["x-request-id"];
    };
    expect([await heard("GET"), await heard("POST"), await heard("GET", "rich.example")]).toEqual(
      Array.from({ length: 3 }, () => "from.the-client_1"),
    );
  });

  test.each(["", "with space", "a".repeat(129), 'quote"', "semi;colon", "$(id)", "%0a"])("is not %j", async (id) => {
    expect(await sent(id, `/id/not/${encodeURIComponent(id)}`)).toMatch(/^[0-9a-f]{8}-\d+-\d+$/);
  });
});

test("off: nothing is written; a part: failures always, of the others a few", async () => {
  await using silent = await startNode({ accessLog: "off" });
  await using sampled = await startNode({ accessLog: "0.001", workers: 1 });
  for (const each of [silent, sampled]) {
    await each.apply(application("plain.example", "plain", [{ port: backend.port }]));
    await each.apply(application("empty.example", "empty", []));
    for (let index = 0; index < 50; index++) await each.get("plain.example", "/drawn");
    await each.get("empty.example", "/failed");
  }
  expect(await lineOf(sampled, "/failed")).toMatchObject({ status: 503, rule: ruleOf("empty") });
  expect(linesOf(sampled).filter((line) => line["uri"] === "/drawn").length).toBeLessThan(10);
  expect(() => linesOf(silent)).toThrow(/ENOENT/);
});

test.each(["maybe", "2", "0", "-1", "0.00001", "1e-3", "on;", ""])("a setting of %j is refused", async (accessLog) => {
  await expect(startNode({ accessLog })).rejects.toThrow(/the access log is on, off, or a part/);
});

test("rotated: after USR1 lines go to a new file", async () => {
  await node.get("plain.example", "/before");
  await lineOf(node, "/before");
  renameSync(join(node.directory, "logs/access.log"), join(node.directory, "logs/access.log.1"));
  process.kill(node.masterPid, "SIGUSR1");
  await vi.waitFor(() => linesOf(node), { timeout: 5000 });
  await node.get("plain.example", "/after");
  expect(await lineOf(node, "/after")).toMatchObject({ status: 200 });
  expect(await lineOf(node, "/before", "access.log.1")).toMatchObject({ status: 200 });
});

test("a folder of logs that is gone or closed hurts no request", async () => {
  const logs = join(node.directory, "logs");
  chmodSync(logs, 0o000);
  rmSync(logs, { recursive: true, force: true });
  process.kill(node.masterPid, "SIGUSR1");
  for (let index = 0; index < 20; index++) {
    expect((await node.get("plain.example", `/without/${index}`)).status).toBe(200);
  }
  mkdirSync(logs);
  process.kill(node.masterPid, "SIGUSR1");
  await vi.waitFor(() => linesOf(node), { timeout: 5000 });
  await node.get("plain.example", "/again");
  expect(await lineOf(node, "/again")).toMatchObject({ status: 200 });
});
