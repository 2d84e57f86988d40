// Plain rules and such with filters side by side: nobody gets what is another's, whoever goes away meanwhile.
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, rule, slice } from "../values.ts";

let its: FilteredNode;
let other: Backend;
beforeAll(async () => {
  its = await startFiltered({ workers: 1 });
  other = await startBackend("other");
  const [closed = 0] = await freePorts(1);
  await its.node.apply([
    ...[pool("other"), slice("other", [{ port: other.port }])],
    ...[pool("half"), slice("half", [{ port: closed }, { port: other.port }])],
  ]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await other.close();
  await its[Symbol.asyncDispose]();
});

const set = (value: string) => [
  { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "X-Rule", value }] } },
];

test("thousands at once, some of whom go away: everybody gets what is theirs", async () => {
  await its.node.apply([
    rule("plain.example", "web"),
    rule("rich.example", "other", { more: { filters: set("rich") } }),
    rule("half.example", "half", { more: { filters: set("half"), retry: { attempts: 2, backoff: "10ms" } } }),
    rule("shut.example", "web", { more: { filters: [{ type: "BodyLimit", bodyLimit: { maxBytes: 0 } }] } }),
  ]);
  const cases = [
    { host: "plain.example", method: "GET", expected: "200 web" },
    { host: "plain.example", method: "POST", expected: "200 web" },
    { host: "rich.example", method: "GET", expected: "200 other rich" },
    { host: "rich.example", method: "POST", expected: "200 other rich" },
    { host: "half.example", method: "GET", expected: "200 other half" },
    { host: "shut.example", method: "POST", expected: "413" },
    { host: "none.example", method: "GET", expected: "404" },
    { host: "none.example", method: "PUT", expected: "404" },
  ];
  const wrong: string[] = [];
  const one = async (at: number) => {
    const it = cases[at % cases.length];
    if (it === undefined) return;
    if (at % 3 === 0) {
      const socket = connect(its.node.ports.http, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(`${it.method} / HTTP/1.1\r\nHost: ${it.host}\r\nContent-Length: 2\r\n\r\n`);
      setTimeout(() => socket.resetAndDestroy(), at % 7);
      return;
    }
    const body = it.method === "GET" ? {} : { body: "xy" };
    const { status, text } = await its.get(it.host, "/", { method: it.method, ...body });
    const echo = status === 200 ? (JSON.parse(text) as Echo) : undefined;
    const got = [String(status), echo?.name, echo?.headers["x-rule"]].filter((part) => part !== undefined).join(" ");
    if (got !== it.expected) wrong.push(`${it.method} ${it.host}: ${got}`);
  };
  for (let round = 0; round < 40; round += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => one(round * 50 + at)));
  }
  expect(wrong).toEqual([]);
}, 60_000);

test("bodies of any length and form, and WebSockets, pass a rule with filters", async () => {
  const host = await its.route({ filters: set("x"), timeouts: { request: "900ms" } });
  const body = "0123456789".repeat(500_000);
  expect((await its.heard(host, "/", { method: "POST", body })).body).toBe(body);
  const echo = await new Promise<Echo>((resolve, reject) => {
    const headers = { host, "transfer-encoding": "chunked" };
    const target = { host: "127.0.0.1", port: its.node.ports.http, method: "POST", headers };
    const outgoing = httpRequest(target, async (incoming) => {
      let text = "";
      for await (const chunk of incoming) text += String(chunk);
      resolve(JSON.parse(text) as Echo);
    });
    outgoing.on("error", reject);
    outgoing.write("first,");
    setTimeout(() => outgoing.end("second"), 50);
  });
  expect([echo.body, echo.headers["x-rule"]]).toEqual(["first,second", "x"]);
  const socket = new WebSocket(`ws://127.0.0.1:${its.node.ports.http}/chat`, { headers: { host } });
  const answer = await new Promise<string>((resolve, reject) => {
    // Longer than the rule gives a request.
    socket.on("open", () => setTimeout(() => socket.send("hello"), 1_000));
    socket.on("message", (data) => resolve(String(data)));
    socket.on("error", reject);
  });
  socket.close();
  expect(answer).toBe("web: hello");
});

test("a GET with a body: with a length it passes, without one a rule with filters asks for it", async () => {
  const rich = await its.route({ filters: set("x") });
  expect((await its.heard(rich, "/", { method: "GET", body: "query" })).body).toBe("query");
  const plain = await its.route({});
  const chunked = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host, "transfer-encoding": "chunked" };
      const target = { host: "127.0.0.1", port: its.node.ports.http, method: "GET", headers };
      const outgoing = httpRequest(target, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.on("error", reject);
      outgoing.end("query");
    });
  expect([await chunked(plain), await chunked(rich)]).toEqual([200, 411]);
});

test("what an application answers steers nothing in the node", async () => {
  const { createServer } = await import("node:http");
  const server = createServer((_, outgoing) => outgoing.writeHead(200, { "x-accel-redirect": "@rich_0" }).end("own"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await its.node.apply([pool("steering"), slice("steering", [{ port }])]);
  for (const more of [{}, { filters: set("x") }]) {
    const { status, text } = await its.get(await its.route(more, {}, "steering"));
    expect([status, text]).toEqual([200, "own"]);
  }
  server.close();
});

test("all of it survives a restart", async () => {
  const host = await its.route({ filters: set("kept") }, { type: "regex", path: "/v\\d+" });
  await its.node.restart();
  expect((await its.node.state()).rejected).toEqual([]);
  expect((await its.heard(host, "/v1")).headers["x-rule"]).toBe("kept");
  expect((await its.get(host, "/vx")).status).toBe(404);
});
