// The admin API of lb-openresty, as an existing Rainbond uses it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { type Answer, request, startNode, type TestNode } from "../harness/node.ts";
import { application } from "./values.ts";

const SUFFIX = "example.goodrain.org";
const SUCCESS = { status: 205, message: "success" };

let node: TestNode;
let backend: Backend;
let other: Backend;

beforeAll(async () => {
  backend = await startBackend("old");
  other = await startBackend("new");
  node = await startNode({ suffix: SUFFIX });
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
  await other?.close();
});

function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return request(node.ports.admin, path, text === undefined ? { method } : { method, body: text });
}

async function succeeds(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await send(method, path, body);
  expect({ status: answer.status, body: JSON.parse(answer.text) }).toEqual({ status: 205, body: SUCCESS });
}

async function who(host: string, path = "/"): Promise<string> {
  const { status, text } = await node.get(host, path);
  return status === 200 ? (JSON.parse(text) as Echo).name : String(status);
}

// The table below is made before there is a backend.
const upstream = (name: string, port = backend?.port ?? 1) => ({
  name,
  servers: [{ addr: `127.0.0.1:${port}`, weight: 1, state: "Active" }],
  protocol: "http",
});
const server = (name: string, domain: string, target: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name,
  domain,
  port: 8085,
  path: "/",
  protocol: "http",
  toHTTPS: false,
  cert: "",
  key: "",
  options: {},
  upstream: target,
  ...more,
});

const https = (name: string, more: Readonly<Record<string, unknown>>) =>
  server(name, `${name}.example`, "b", { protocol: "https", ...more });

test("a node that v1 alone filled becomes ready by it", async () => {
  expect(await node.isReady()).toBe(false);
  await succeeds("POST", "/v1/upstreams/5000.app.tenant", upstream("5000.app.tenant"));
  expect(await node.isReady()).toBe(true);
  expect((await request(node.ports.admin, "/health")).status).toBe(205);
});

test("the default domain leads to an upstream without any server", async () => {
  expect(await who(`5000.app.tenant.${SUFFIX}`)).toBe("old");
  expect(await who("5000.app.tenant")).toBe("404");
  expect(await who(`5001.app.tenant.${SUFFIX}`)).toBe("404");
});

test("a server with a domain and a path, named by short or by full name of its upstream", async () => {
  await succeeds("UPDATE", "/v1/servers/s1", server("s1", "www.old.example", "5000.app.tenant"));
  await succeeds(
    "UPDATE",
    "/v1/servers/s2",
    server("s2", "api.old.example", `5000.app.tenant.${SUFFIX}`, { path: "/v2" }),
  );
  expect(await who("www.old.example", "/any")).toBe("old");
  expect(await who("api.old.example", "/v2/x")).toBe("old");
  expect(await who("api.old.example", "/")).toBe("404");
  await succeeds("UPDATE", "/v1/servers/s1", server("s1", "www2.old.example", "5000.app.tenant", { toHTTPS: "false" }));
  expect(await who("www.old.example")).toBe("404");
  expect(await who("www2.old.example")).toBe("old");
});

test("lists", async () => {
  const list = async (path: string, body?: unknown) => {
    const answer = await send("GET", path, body);
    return [answer.status, JSON.parse(answer.text)];
  };
  expect(await list("/v1/servers", { protocol: "http" })).toEqual([205, { protocol: "http", items: ["s1", "s2"] }]);
  expect(await list("/v1/servers/s2", { protocol: "http" })).toEqual([205, { protocol: "http", items: ["s2"] }]);
  expect(await list("/v1/servers/s3", { protocol: "http" })).toEqual([205, { protocol: "http", items: [] }]);
  expect(await list("/v1/servers", { protocol: "tcp" })).toEqual([205, { protocol: "tcp", items: [] }]);
  expect(await list("/v1/upstreams")).toEqual([205, { protocol: "http", items: ["5000.app.tenant"] }]);
  expect((await send("GET", "/v1/servers", { protocol: "sctp" })).status).toBe(405);
});

test("one name exists once per protocol, and each goes by itself, over a restart too", async () => {
  const ports = {
    name: "same",
    port: 33_061,
    upstream: `3306.db.tenant.${SUFFIX}`,
    toHTTPS: true,
    cert: "x",
    key: "y",
  };
  await succeeds("UPDATE", "/v1/upstreams/3306.db.tenant", { ...upstream("3306.db.tenant"), protocol: "tcp" });
  await succeeds("UPDATE", "/v1/servers/same", server("same", "same.example", "5000.app.tenant", { cert: "unread" }));
  await succeeds("UPDATE", "/v1/servers/same", { ...ports, protocol: "tcp" });
  await succeeds("UPDATE", "/v1/servers/same", { ...ports, protocol: "udp" });
  const listed = async () => {
    const of = async (protocol: string) =>
      (JSON.parse((await send("GET", "/v1/servers", { protocol })).text) as { items: string[] }).items.includes("same");
    return { http: await of("http"), https: await of("https"), tcp: await of("tcp"), udp: await of("udp") };
  };
  expect(await listed()).toEqual({ http: true, https: false, tcp: true, udp: true });
  await succeeds("DELETE", "/v1/servers/same", { protocol: "tcp" });
  expect(await listed()).toEqual({ http: true, https: false, tcp: false, udp: true });
  await node.restart();
  expect(await listed()).toEqual({ http: true, https: false, tcp: false, udp: true });
  expect(await who("same.example")).toBe("old");
  // What serves tcp has no host of its own.
  expect(await who(`3306.db.tenant.${SUFFIX}`)).toBe("404");
  for (const protocol of ["http", "udp"]) await succeeds("DELETE", "/v1/servers/same", { protocol });
  expect(await listed()).toEqual({ http: false, https: false, tcp: false, udp: false });
  await succeeds("DELETE", "/v1/upstreams/3306.db.tenant", { protocol: "tcp" });
});

test("what a node wrote before protocols were kept apart is http", async () => {
  await using before = await startNode({ suffix: SUFFIX });
  await before.halt();
  const lines = [
    { kind: "upstreams", name: "5000.old.tenant", value: { members: [{ address: "127.0.0.1", port: backend.port }] } },
    { kind: "servers", name: "s", value: { domain: "before.example", path: "/", upstream: "5000.old.tenant" } },
  ].map((it) => `V ${JSON.stringify(it)}`);
  const sealed = lines.map((line) => `${crc32(line).toString(16).padStart(8, "0")} ${line}\n`);
  writeFileSync(join(before.directory, "state/journal-000000000001"), sealed.join(""));
  await before.start();
  for (const host of ["before.example", `5000.old.tenant.${SUFFIX}`]) {
    expect((await before.get(host)).status, host).toBe(200);
  }
  const body = JSON.stringify({ protocol: "http" });
  const answer = await request(before.ports.admin, "/v1/servers", { method: "GET", body });
  expect(JSON.parse(answer.text)).toEqual({ protocol: "http", items: ["s"] });
});

test("weights, also as nginx's parameter, and states", async () => {
  const servers = [
    { addr: `127.0.0.1:${backend.port} weight=3` },
    { addr: `127.0.0.1:${other.port}`, weight: 1 },
    { addr: "127.0.0.1:9", state: "Disabled" },
  ];
  await succeeds("POST", "/v1/upstreams/weights.app.tenant", { servers, protocol: "http" });
  const counts: Record<string, number> = {};
  for (let index = 0; index < 40; index++) {
    const name = await who(`weights.app.tenant.${SUFFIX}`);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  expect(Object.keys(counts).sort()).toEqual(["new", "old"]);
  expect(Math.abs((counts["old"] ?? 0) - 30)).toBeLessThanOrEqual(3);
});

test("an upstream without servers answers 503, and the stand-in the waiting page", async () => {
  await succeeds("POST", "/v1/upstreams/empty.app.tenant", { servers: [], protocol: "http" });
  expect(await who(`empty.app.tenant.${SUFFIX}`)).toBe("503");
  await succeeds("UPDATE", "/v1/upstreams/empty.app.tenant", upstream("empty.app.tenant", node.ports.waiting));
  expect((await node.get(`empty.app.tenant.${SUFFIX}`)).text).toContain("not ready yet");
});

describe("what can't be used is refused with a sentence, and changes nothing", () => {
  test.each<[string, string, string, unknown, number, RegExp]>([
    ["another protocol", "POST", "/v1/upstreams/a", { ...upstream("a"), protocol: "sctp" }, 405, /tcp or udp/],
    ["https without a certificate", "UPDATE", "/v1/servers/a", https("a", { key: "PEM" }), 405, /cert must be a PEM/],
    ["https without a key", "UPDATE", "/v1/servers/a", https("a", { cert: "PEM" }), 405, /key must be a PEM/],
    ["tcp without a port", "UPDATE", "/v1/servers/a", { protocol: "tcp", upstream: "a" }, 405, /port must be/],
    ["udp without an upstream", "UPDATE", "/v1/servers/a", { protocol: "udp", port: 53 }, 405, /upstream must be/],
    ["toHTTPS as maybe", "POST", "/v1/servers/a", server("a", "a.example", "b", { toHTTPS: "maybe" }), 405, /toHTTPS/],
    ["a domain with a space", "POST", "/v1/servers/a", server("a", "a b", "b"), 405, /domain must be/],
    ["a domain with a quote", "POST", "/v1/servers/a", server("a", 'a";}', "b"), 405, /domain must be/],
    ["no upstream", "POST", "/v1/servers/a", server("a", "a.example", ""), 405, /upstream must be/],
    ["a path without /", "POST", "/v1/servers/a", server("a", "a.example", "b", { path: "x" }), 405, /path must begin/],
    ["a port of 99999", "POST", "/v1/servers/a", server("a", "a.example", "b", { port: 99_999 }), 405, /port must be/],
    ["another name inside", "POST", "/v1/upstreams/a", upstream("b"), 405, /name must be the one/],
    ["an address that is a name", "POST", "/v1/upstreams/a", { servers: [{ addr: "web:80" }] }, 405, /IP:PORT/],
    ["a port of 99999 in it", "POST", "/v1/upstreams/a", { servers: [{ addr: "10.0.0.1:99999" }] }, 405, /IP:PORT/],
    ["another parameter", "POST", "/v1/upstreams/a", { servers: [{ addr: "10.0.0.1:80 backup" }] }, 405, /weight=N/],
    ["an unknown state", "POST", "/v1/upstreams/a", { servers: [{ addr: "10.0.0.1:80", state: "x" }] }, 405, /state/],
    ["servers as text", "POST", "/v1/upstreams/a", { servers: "x" }, 405, /servers must be a list/],
    ["broken JSON", "POST", "/v1/upstreams/a", "{", 405, /JSON object/],
    ["no body", "POST", "/v1/upstreams/a", undefined, 405, /JSON object/],
    ["a name with a quote", "POST", "/v1/upstreams/a%22", upstream("a"), 405, /a name consists of/],
    ["a name with $()", "POST", "/v1/upstreams/$(id)", upstream("a"), 405, /a name consists of/],
    ["another method", "PATCH", "/v1/upstreams/a", upstream("a"), 405, /use GET, POST, UPDATE, DELETE/],
    ["no name", "POST", "/v1/upstreams", upstream("a"), 405, /use GET/],
    ["another kind", "GET", "/v1/others", undefined, 404, /nothing at this path/],
    ["../", "POST", "/v1/upstreams/../servers/a/b", upstream("a"), 404, /nothing at this path/],
    ["too much", "POST", "/v1/upstreams/a", "x".repeat(2_000_000), 413, /at most/],
  ])("%s", async (_, method, path, body, status, sentence) => {
    const answer = await send(method, path, body);
    expect(answer.text).toMatch(sentence);
    expect(answer.status).toBe(status);
    const listed = JSON.parse((await send("GET", "/v1/upstreams")).text) as { items: string[] };
    expect(listed.items).not.toContain("a");
    expect(await who("a.example")).toBe("404");
  });

  test("a web page's request", async () => {
    const headers = { origin: "http://evil.example", "content-type": "text/plain" };
    const body = JSON.stringify(upstream("evil"));
    const answer = await request(node.ports.admin, "/v1/upstreams/evil", { method: "POST", headers, body });
    expect(answer.status).toBe(403);
  });
});

describe("beside v2", () => {
  beforeAll(async () => {
    await succeeds("POST", "/v1/servers/both", server("both", "both.example", "5000.app.tenant"));
    await succeeds("POST", "/v1/servers/deep", server("deep", "both.example", "5000.app.tenant", { path: "/deep" }));
  });

  test("v2 wins where both claim one host and path; the other is listed, and comes back", async () => {
    expect(await who("both.example")).toBe("old");
    await node.apply(application("both.example", "both", [{ port: other.port }]));
    expect(await who("both.example")).toBe("new");
    expect(await who("both.example", "/deep/er")).toBe("old");
    const shadowed = { v1: "servers/both", protocol: "http", domain: "both.example" };
    expect((await node.state()).shadowed).toEqual([shadowed]);
    const [ruleKey = ""] = [...node.sender.values.keys()].filter((key) => key.startsWith("Rule/both.example/"));
    await node.apply([{ key: ruleKey, value: null }]);
    expect(await who("both.example")).toBe("old");
    expect((await node.state()).shadowed).toEqual([]);
  });

  test("a snapshot leaves v1's alone, v1 leaves v2's revision and digest alone, a restart both", async () => {
    node.sender.revision += 1;
    for (const key of [...node.sender.values.keys()]) node.sender.set(key, null);
    expect((await node.put(node.sender.snapshot())).status).toBe(200);
    const before = await node.state();
    await succeeds("POST", "/v1/upstreams/late.app.tenant", upstream("late.app.tenant"));
    for (const round of ["before", "after"]) {
      expect([round, await who("both.example")]).toEqual([round, "old"]);
      expect([round, await who(`late.app.tenant.${SUFFIX}`)]).toEqual([round, "old"]);
      const { revision, digest } = await node.state();
      expect({ revision, digest }).toEqual({ revision: before.revision, digest: "0".repeat(40) });
      await node.kill9();
      await node.start();
    }
  });
});

test("what is deleted is gone, over a restart too; deleting twice is as good", async () => {
  for (let times = 0; times < 2; times++) {
    await succeeds("DELETE", "/v1/servers/both", { protocol: "http" });
    await succeeds("DELETE", "/v1/upstreams/late.app.tenant");
    await succeeds("DELETE", "/v1/servers/l4", { protocol: "tcp" });
  }
  for (let start = 0; start < 2; start++) {
    expect(await who("both.example")).toBe("404");
    expect(await who(`late.app.tenant.${SUFFIX}`)).toBe("404");
    await node.restart();
  }
});
