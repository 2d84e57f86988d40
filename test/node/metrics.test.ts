// GET /metrics: what is counted of requests, by whom it may be read, and how much of it there can be.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { type Change, KEY, request, startNode, type TestNode } from "../harness/node.ts";
import { application, pool, rule, slice } from "./values.ts";

let backend: Backend;
let node: TestNode;

beforeAll(async () => {
  backend = await startBackend("counted");
  node = await startNode({ workers: 2 });
  await node.apply([
    ...application("plain.example", "plain", [{ port: backend.port }]),
    ...application("empty.example", "empty", []),
    ...application("failing.example", "failing", [{ port: 9 }]),
    ...application("quote.example", "quote", [{ port: backend.port }]),
    pool("rich"),
    slice("rich", [{ port: backend.port }]),
    rule("rich.example", "rich", { name: "rich", more: { timeouts: { request: "30s" } } }),
  ]);
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
});

type Samples = ReadonlyMap<string, number>;

async function scrape(of: TestNode = node): Promise<Samples> {
  const { status, headers, text } = await request(of.ports.health, "/metrics");
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    if (/^# (HELP|TYPE) entrance_node_[a-z0-9_]+ ./.test(line)) continue;
    const [, name = "", value = ""] = /^(entrance_node_[a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    expect(name, line).not.toBe("");
    expect(samples.has(name), `${name} is there twice`).toBe(false);
    samples.set(name, Number(value));
  }
  return samples;
}

const labels = (name: string) => `rule="Rule/${name}.example/Ingress/shop/${name}/0",pool="Pool/shop/${name}/80"`;
const requestsOf = (samples: Samples, name: string, status: string) =>
  samples.get(`entrance_node_requests_total{${labels(name)},status="${status}"}`) ?? 0;

describe("requests", () => {
  test("by rule, pool, member and class of status, whichever way they go", async () => {
    for (let index = 0; index < 20; index++) await node.get("plain.example");
    for (let index = 0; index < 5; index++) await node.get("plain.example", "/", { method: "POST", body: "x" });
    await node.get("rich.example");
    await node.get("empty.example");
    await node.get("plain.example", "/status/418");
    await node.get("unknown.example");
    // Counted once the answer is out: the last one may have been read before.
    const samples = await vi.waitFor(async () => {
      const found = await scrape();
      expect(found.get('entrance_node_requests_total{rule="none",pool="none",status="4xx"}')).toBe(1);
      return found;
    });
    expect(requestsOf(samples, "rich", "2xx")).toBe(1);
    expect(requestsOf(samples, "empty", "5xx")).toBe(1);
    expect(requestsOf(samples, "plain", "2xx") + requestsOf(samples, "plain", "4xx")).toBe(26);
    const bucket = (le: string) => samples.get(`entrance_node_request_seconds_bucket{${labels("plain")},le="${le}"}`);
    expect(bucket("+Inf")).toBe(26);
    expect(bucket("10")).toBe(26);
    expect(samples.get(`entrance_node_request_seconds_count{${labels("plain")}}`)).toBe(26);
    expect(samples.get(`entrance_node_request_seconds_sum{${labels("plain")}}`)).toBeGreaterThan(0);
    expect(samples.get(`entrance_node_response_bytes_total{${labels("plain")}}`)).toBeGreaterThan(26 * 100);
    const member = `pool="Pool/shop/plain/80",node="127.0.0.1:${backend.port}"`;
    expect(samples.get(`entrance_node_member_requests_total{${member},status="2xx"}`)).toBeGreaterThanOrEqual(25);
    expect(samples.get(`entrance_node_member_healthy{${member}}`)).toBe(1);
  });

  test("tries that failed, and members that are set aside for it", async () => {
    await node.get("failing.example");
    const samples = await vi.waitFor(async () => {
      const found = await scrape();
      expect(requestsOf(found, "failing", "5xx")).toBe(1);
      return found;
    });
    const member = 'pool="Pool/shop/failing/80",node="127.0.0.1:9"';
    expect(samples.get(`entrance_node_member_failed_tries_total{${member}}`)).toBeGreaterThanOrEqual(1);
    expect(samples.get(`entrance_node_failed_tries_total{${labels("failing")}}`)).toBeGreaterThanOrEqual(1);
    expect(samples.get(`entrance_node_member_healthy{${member}}`)).toBe(0);
  });

  test("a slow answer counts in the bucket of its time", async () => {
    await node.get("quote.example", "/slow?chunks=4&everyMs=40");
    await vi.waitFor(async () => {
      const samples = await scrape();
      const bucket = (le: string) => samples.get(`entrance_node_request_seconds_bucket{${labels("quote")},le="${le}"}`);
      expect([bucket("0.025"), bucket("2.5")]).toEqual([0, 1]);
    });
  });

  test("what a worker had counted outlives it", async () => {
    const before = requestsOf(await scrape(), "plain", "2xx");
    const { workers } = await node.state();
    for (const { pid } of workers) process.kill(pid, "SIGKILL");
    const bothAreBack = async () => {
      const samples = await scrape();
      expect(requestsOf(samples, "plain", "2xx")).toBe(before);
      expect(samples.get("entrance_node_worker_starts_total")).toBe(2 + workers.length);
    };
    await vi.waitFor(bothAreBack, { timeout: 10_000 });
  });
});

test("the node itself", async () => {
  const samples = await scrape();
  const value = (name: string) => samples.get(`entrance_node_${name}`);
  expect(value("ready")).toBe(1);
  expect(value("draining")).toBe(0);
  expect(value("revision")).toBe(1);
  expect(value('resources{kind="Rule"}')).toBe(5);
  expect(value("workers")).toBe(2);
  expect(value("generations_total")).toBe(1);
  expect(value('connections{state="active"}')).toBeGreaterThanOrEqual(1);
  expect(value('dictionary_free_bytes{dictionary="entrance_state"}')).toBeGreaterThan(0);
  for (const name of [
    "uptime_seconds",
    "journal_bytes",
    "snapshot_bytes",
    "damaged_lines",
    "rejected",
    "v1_items",
    "epoch",
  ]) {
    expect(value(name), name).toBeGreaterThanOrEqual(0);
  }
});

describe("who may read them", () => {
  test("on loopback's health listener anybody, on the admin listener who has the key", async () => {
    expect((await request(node.ports.admin, "/metrics")).status).toBe(401);
    expect((await node.admin("/metrics")).text).toContain("entrance_node_ready 1");
    expect((await request(node.ports.health, "/metrics", { method: "POST", body: "x" })).status).toBe(405);
    const headers = { origin: "http://evil.example" };
    expect((await request(node.ports.health, "/metrics", { headers })).status).toBe(403);
  });

  test("on a health listener that others reach, who has the key", async () => {
    await using open = await startNode({ bind: { health: "0.0.0.0" } });
    expect((await request(open.ports.health, "/metrics")).status).toBe(401);
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await request(open.ports.health, "/metrics", { headers })).status).toBe(200);
    expect((await request(open.ports.health, "/health")).status).toBe(200);
  });
});

test("where requests are not counted, the node itself is still told of", async () => {
  await using quiet = await startNode({ metrics: false });
  await quiet.apply(application("plain.example", "plain", [{ port: backend.port }]));
  expect((await quiet.get("plain.example")).status).toBe(200);
  const samples = await scrape(quiet);
  expect(samples.get("entrance_node_ready")).toBe(1);
  expect([...samples.keys()].filter((name) => name.includes("requests_total"))).toEqual([]);
});

test("there are at most 10,000 series: of more rules and members the last count among the others", async () => {
  await using many = await startNode({ workers: 1 });
  const count = 700;
  const changes = Array.from({ length: count }, (_, index): Change[] =>
    application(`h${index}.example`, `s${index}`, [{ port: backend.port }]),
  );
  await many.apply(changes.flat());
  for (let index = 0; index < count; index++) await many.get(`h${index}.example`);
  const samples = await vi.waitFor(async () => {
    const found = await scrape(many);
    const requests = [...found].filter(([name]) => name.startsWith("entrance_node_requests_total"));
    expect(requests.reduce((sum, [, value]) => sum + value, 0)).toBe(count);
    return found;
  });
  expect(samples.size).toBeLessThan(10_000);
  const requests = [...samples].filter(([name]) => name.startsWith("entrance_node_requests_total"));
  expect(requests.length).toBe(401);
  expect(samples.get('entrance_node_requests_total{rule="other",pool="other",status="2xx"}')).toBe(count - 400);
});
