// Which request goes to which pool, and what those hear that go nowhere.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { type RequestOptions, request, startNode, type TestNode } from "../harness/node.ts";
import { pool, type RuleParts, rule, slice } from "./values.ts";

let node: TestNode;
const backends = new Map<string, Backend>();
const NAMES = ["one", "two", "three", "four", "five", "six"];

beforeAll(async () => {
  node = await startNode();
  for (const name of NAMES) {
    const backend = await startBackend(name);
    backends.set(name, backend);
    await node.apply([pool(name), slice(name, [{ port: backend.port }])]);
  }
});

afterAll(async () => {
  await node?.stop();
  for (const backend of backends.values()) await backend.close();
});

/** The name of the backend that answered, or the status of who else did. */
async function who(host: string, path: string, options: RequestOptions = {}): Promise<string> {
  const { status, text } = await node.get(host, path, options);
  return status === 200 ? (JSON.parse(text) as Echo).name : String(status);
}

let number = 0;
async function route(domain: string, rules: readonly [target: string, parts: RuleParts][]): Promise<void> {
  await node.apply(rules.map(([target, parts]) => rule(domain, target, { number: number++, ...parts })));
}

describe("hosts", () => {
  beforeAll(async () => {
    await route("exact.hosts.example", [["one", { path: "/only" }]]);
    await route("*.hosts.example", [["two", {}]]);
  });

  test.each([
    ["exact.hosts.example", "/only", "one"],
    ["EXACT.hosts.EXAMPLE", "/only", "one"],
    ["exact.hosts.example:8080", "/only", "one"],
    ["exact.hosts.example.", "/only", "one"],
    // The most specific host decides, also when none of its paths fits.
    ["exact.hosts.example", "/other", "404"],
    ["any.hosts.example", "/", "two"],
    ["a.b.hosts.example", "/", "404"],
    ["hosts.example", "/", "404"],
    [".hosts.example", "/", "404"],
    ["unknown.example", "/", "404"],
    ["127.0.0.1", "/", "404"],
  ])("%s %s -> %s", async (host, path, expected) => {
    expect(await who(host, path)).toBe(expected);
  });

  test("* takes what no other host does, and gives it back", async () => {
    await route("*", [["three", { name: "default" }]]);
    expect(await who("unknown.example", "/")).toBe("three");
    expect(await who("exact.hosts.example", "/other")).toBe("404");
    await route("unknown.example", [["four", { name: "later" }]]);
    expect(await who("unknown.example", "/")).toBe("four");
    const gone = [...node.sender.values.keys()].filter((key) => /^Rule\/(unknown\.example|\*)\//.test(key));
    await node.apply(gone.map((key) => ({ key, value: null })));
    expect(await who("unknown.example", "/")).toBe("404");
  });

  test.each(["a b", 'a"b', "a;}", "$(id)", "../x", "x".repeat(4000)])(
    "a hostile name %j harms nobody",
    async (host) => {
      expect(["400", "404"]).toContain(await who(host, "/"));
      expect(await who("exact.hosts.example", "/only")).toBe("one");
    },
  );
});

describe("paths", () => {
  beforeAll(async () => {
    await route("paths.example", [
      ["one", { type: "exact", path: "/foo" }],
      ["two", { type: "prefix", path: "/foo" }],
      ["three", { type: "prefix", path: "/foo/bar/" }],
      ["four", { type: "start", path: "/st" }],
      ["five", { type: "start", path: "/foo/ba" }],
      ["six", { type: "prefix", path: "/" }],
    ]);
  });

  test.each([
    ["/foo", "one"],
    ["/foo?a=b", "one"],
    ["/foo/", "two"],
    ["/foo/x", "two"],
    ["/foox", "six"],
    ["/foo/bar", "three"],
    ["/foo/bar/", "three"],
    ["/foo/bar/baz", "three"],
    ["/foo/barx", "five"],
    ["/foo/ba", "five"],
    ["/static", "four"],
    ["/st", "four"],
    ["/s", "six"],
    ["/", "six"],
    // Decoded and normalised before it is compared; handed on as it came.
    ["/%66oo", "one"],
    ["/x/../foo", "one"],
    ["/foo//bar", "three"],
  ])("%s -> %s", async (path, expected) => {
    expect(await who("paths.example", path)).toBe(expected);
  });

  test("a backend sees the path as it was sent", async () => {
    const answer = await node.get("paths.example", "/foo//bar/%2e%20?q=%20&r");
    expect((JSON.parse(answer.text) as Echo).url).toBe("/foo//bar/%2e%20?q=%20&r");
  });
});

describe("methods, headers and queries", () => {
  const header = (name: string, value: string) => ({ name, value });
  beforeAll(async () => {
    await route("matches.example", [
      ["one", {}],
      ["two", { method: "POST" }],
      ["three", { headers: [header("X-Version", "2")] }],
      ["four", { headers: [header("X-Version", "2"), header("X-Group", "beta")] }],
      ["five", { query: [header("user", "me")] }],
      ["six", { path: "/deep", method: "DELETE", headers: [header("X-Version", "2")] }],
    ]);
  });

  test.each<[string, string, RequestOptions, string]>([
    ["nothing", "/", {}, "one"],
    ["a method", "/", { method: "POST" }, "two"],
    ["a header", "/", { headers: { "x-version": "2" } }, "three"],
    ["another value", "/", { headers: { "x-version": "3" } }, "one"],
    ["two headers", "/", { headers: { "x-version": "2", "x-group": "beta" } }, "four"],
    ["a query", "/?user=me", {}, "five"],
    ["another query", "/?user=you", {}, "one"],
    ["the first of several counts", "/?user=me&user=you", {}, "five"],
    ["the method goes before the header", "/", { method: "POST", headers: { "x-version": "2" } }, "two"],
    ["the longer path goes before all", "/deep", { method: "DELETE", headers: { "x-version": "2" } }, "six"],
    ["a path that does not fit otherwise", "/deep", { headers: { "x-version": "2" } }, "three"],
  ])("%s", async (_, path, options, expected) => {
    expect(await who("matches.example", path, options)).toBe(expected);
  });

  test("the older owner goes first, then the name", async () => {
    await route("age.example", [
      ["one", { name: "b", created: "2026-01-02T00:00:00Z" }],
      ["two", { name: "c", created: "2026-01-01T00:00:00Z" }],
      ["three", { name: "a", created: "2026-01-02T00:00:00Z" }],
    ]);
    expect(await who("age.example", "/")).toBe("two");
    const oldest = [...node.sender.values.keys()].find((key) => key.includes("age.example/Ingress/shop/c/")) ?? "";
    await node.apply([{ key: oldest, value: null }]);
    expect(await who("age.example", "/")).toBe("three");
  });
});

describe("weighted pools", () => {
  test("each takes its share", async () => {
    const pools = ["one", "two", "three"].map((name, place) => ({ pool: `Pool/shop/${name}/80`, weight: place }));
    await route("weights.example", [["one", { pools }]]);
    const counts: Record<string, number> = {};
    for (let index = 0; index < 60; index++) {
      const name = await who("weights.example", "/");
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts["one"]).toBeUndefined();
    // Two workers take turns of their own.
    expect(Math.abs((counts["two"] ?? 0) - 20)).toBeLessThanOrEqual(2);
  });

  test("no weight at all, no pool, and a pool that does not exist are 503", async () => {
    await route("none.example", [
      ["one", { path: "/zero", pools: [{ pool: "Pool/shop/one/80", weight: 0 }] }],
      ["one", { path: "/empty", pools: [] }],
      ["missing", { path: "/missing" }],
    ]);
    for (const path of ["/zero", "/empty", "/missing"]) expect(await who("none.example", path)).toBe("503");
  });
});

describe("what those hear that go nowhere", () => {
  const html = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };

  test("a page for who accepts HTML, a line of text for others; the status stays", async () => {
    await route("nobody.example", [["missing", {}]]);
    for (const [host, status] of [
      ["nowhere.example", 404],
      ["nobody.example", 503],
    ] as const) {
      const page = await node.get(host, "/", html);
      expect(page.status).toBe(status);
      expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(page.text).toMatch(/^<!doctype html>[\s\S]+<\/html>\n$/);
      const line = await node.get(host, "/");
      expect(line.status).toBe(status);
      expect(line.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(line.text).toMatch(/^[^<\n]+\n$/);
      expect((await node.get(host, "/", { method: "HEAD" })).text).toBe("");
      expect((await node.get(host, "/", { method: "POST", body: "x".repeat(100_000) })).status).toBe(status);
    }
  });

  test("the stand-in serves the waiting page", async () => {
    expect((await request(node.ports.waiting, "/any", html)).text).toContain("not ready yet");
    expect((await request(node.ports.waiting, "/any")).status).toBe(503);
  });

  test.each([404, 418, 500, 502, 503, 504])("an application's own %d passes unchanged", async (status) => {
    await route(`own-${status}.example`, [["one", {}]]);
    const answer = await node.get(`own-${status}.example`, `/status/${status}`, html);
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.text) as Echo).name).toBe("one");
  });

  test("a backend that is gone: 502 with the page", async () => {
    await node.apply([pool("dead"), slice("dead", [{ port: 9 }]), rule("dead.example", "dead", { name: "dead" })]);
    expect((await node.get("dead.example", "/", html)).text).toContain("<h1>502</h1>");
    expect((await node.get("dead.example")).status).toBe(502);
  });

  test("nothing of this is a fault of the Lua", () => {
    expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|lua entry thread aborted|failed to run/);
  });
});
