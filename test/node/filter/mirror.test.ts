import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePorts } from "../../harness/free-ports.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, slice } from "../values.ts";

let its: FilteredNode;
/** Takes requests whole, and never answers. */
let heard: string[] = [];
const silent = createServer((socket) => {
  let text = "";
  const place = heard.push("") - 1;
  socket.on("data", (chunk) => {
    text += String(chunk);
    heard[place] = text;
  });
  socket.on("error", () => socket.destroy());
});

beforeAll(async () => {
  its = await startFiltered();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const [closed = 0] = await freePorts(1);
  await its.node.apply([
    ...[pool("silent"), slice("silent", [{ port }])],
    ...[pool("closed"), slice("closed", [{ port: closed }])],
  ]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  silent.close();
  await its[Symbol.asyncDispose]();
});

const mirror = (name: string, more: object = {}) => ({
  type: "RequestMirror",
  requestMirror: { pool: `Pool/shop/${name}/80`, ...more },
});

test("a copy, as the backend hears it, and nobody waits for its answer", async () => {
  heard = [];
  const filters = [
    mirror("silent"),
    { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" } } },
    { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "X-Set", value: "1" }] } },
  ];
  const host = await its.route({ filters }, { path: "/old" });
  const began = Date.now();
  const echo = await its.heard(host, "/old/a%20b?q=1", { method: "POST", body: "the body", headers: { "x-own": "2" } });
  expect([echo.url, echo.body]).toEqual(["/new/a%20b?q=1", "the body"]);
  expect(Date.now() - began).toBeLessThan(500);
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  await vi.waitFor(() => expect(heard[0]).toContain("the body"));
  expect(heard[0]).toMatch(/^POST \/new\/a%20b\?q=1 HTTP\/1\.1\r\nHost: r\d+\.example\r\nConnection: close\r\n/);
  for (const line of ["x-own: 2", "X-Set: 1", "Content-Length: 8", "X-Forwarded-For: 127.0.0.1"]) {
    expect(heard[0]).toContain(`\r\n${line}\r\n`);
  }
});

test("of what has no body, too; of too large a body none, and it comes whole", async () => {
  heard = [];
  const host = await its.route({ filters: [mirror("silent")] });
  expect((await its.get(host, "/get")).status).toBe(200);
  await vi.waitFor(() => expect(heard[0]).toMatch(/^GET \/get HTTP\/1\.1\r\n/));
  const body = "0123456789".repeat(200_000);
  expect((await its.heard(host, "/", { method: "POST", body })).body).toBe(body);
  const small = "0123456789".repeat(100_000);
  expect((await its.heard(host, "/", { method: "POST", body: small })).body).toBe(small);
  await vi.waitFor(() => expect(heard[1]).toContain(small));
  expect(heard).toHaveLength(2);
});

test("one that refuses, has no pool, or is silent fails nothing, however many there are", async () => {
  for (const name of ["closed", "missing", "silent"]) {
    const host = await its.route({ filters: [mirror(name)] });
    const answers = await Promise.all(Array.from({ length: 200 }, () => its.get(host)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
});

test("a share of them", async () => {
  const host = await its.route({ filters: [mirror("silent", { percent: 0 })] });
  for (let time = 0; time < 5; time += 1) await its.get(host, "/share");
  expect(heard.filter((text) => text.startsWith("GET /share"))).toEqual([]);
});

test.each<[object, RegExp]>([
  [{ pool: "x" }, /pool must be the key of a Pool/],
  [{ pool: null }, /pool must be the key of a Pool/],
  [{ percent: 101 }, /percent must be a whole number/],
])("refuses %j", async (more, reason) => {
  expect((await its.reasons({ filters: [mirror("web", more)] }))[0]).toMatch(reason);
});
