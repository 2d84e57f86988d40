// gRPC through the node, with gRPC's own client and server; and HTTP/2 without TLS to members that speak nothing else.
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../../harness/certificate.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { requestTls } from "../../harness/https.ts";
import { request, startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";
import { type GrpcAnswer, type GrpcBackend, GrpcClient, startGrpc } from "./grpc-service.ts";

const pair = makeCertificate(["*.grpc.example", "nobody.example"]);
let node: TestNode;
const running: AsyncDisposable[] = [];

beforeAll(async () => {
  node = await startNode();
  await node.apply([certificate("default", pair), domain("*", ["default"])]);
});

afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run/);
  await node?.stop();
  for (const it of running) await it[Symbol.asyncDispose]();
});

async function start(name: string, own?: typeof pair): Promise<GrpcBackend> {
  const backend = await startGrpc(name, own);
  running.push(backend);
  return backend;
}

let count = 0;
async function route(
  members: readonly number[],
  settings: Readonly<Record<string, unknown>> = { protocol: "grpc" },
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const name = `grpc-${count++}`;
  const rejected = await node.apply([
    pool(name, settings),
    slice(
      name,
      members.map((port) => ({ port })),
    ),
    rule(`${name}.grpc.example`, name, { name, more: { scheme: "httpandhttps", ...more } }),
  ]);
  if (rejected.length > 0) throw new Error(rejected[0]?.reason);
  return `${name}.grpc.example`;
}

async function call(host: string, ...args: Parameters<GrpcClient["call"]>): Promise<GrpcAnswer> {
  using client = new GrpcClient(node.ports.https, host, pair.chain);
  return await client.call(...args);
}

describe("gRPC", () => {
  test.each([
    ["one message for one", "Unary", ["hello"], ["one:hello"]],
    ["a stream from the client", "Collect", ["a".repeat(100_000), "b".repeat(100_000)], ["200000"]],
    ["a stream from the server", "Repeat", ["5"], ["0", "1", "2", "3", "4"]],
    ["both", "Chat", ["a", "b", "c"], ["one:a", "one:b", "one:c"]],
  ] as const)("%s", async (_, name, messages, expected) => {
    const { port } = await start("one");
    const answer = await call(await route([port]), name, messages);
    expect([answer.code, answer.messages]).toEqual([0, expected]);
  });

  test("an error's code and words come in the trailers", async () => {
    const { port } = await start("one");
    const answer = await call(await route([port]), "Unary", ["fail"]);
    expect([answer.code, answer.details]).toEqual([9, "told to"]);
  });

  test("a deadline reaches the client in time", async () => {
    const { port } = await start("one");
    const began = Date.now();
    expect((await call(await route([port]), "Unary", ["slow"], 300)).code).toBe(4);
    expect(Date.now() - began).toBeLessThan(3_000);
  });

  test("members take turns, on kept connections", async () => {
    const backends = [await start("one"), await start("two")];
    const host = await route(backends.map(({ port }) => port));
    using client = new GrpcClient(node.ports.https, host, pair.chain);
    for (let sent = 0; sent < 12; sent += 1) expect((await client.call("Unary", ["x"])).code).toBe(0);
    for (const { calls } of backends) expect(calls()).toBeGreaterThan(3);
  });

  test("over TLS without verifying", async () => {
    const { port } = await start("safe", makeCertificate(["whoever.example"]));
    const host = await route([port], { protocol: "grpc", tls: { verify: false } });
    expect((await call(host, "Chat", ["a"])).messages).toEqual(["safe:a"]);
  });

  test("the node's own refusals are gRPC's: UNAVAILABLE, UNIMPLEMENTED, PERMISSION_DENIED", async () => {
    const [closed = 0] = await freePorts(1);
    const gone = await call(await route([closed]), "Unary", ["x"]);
    expect([gone.code, gone.details]).toEqual([14, expect.stringContaining("did not answer as it should")]);
    expect((await call(await route([]), "Unary", ["x"])).code).toBe(14);
    expect((await call("nobody.example", "Unary", ["x"])).code).toBe(12);
    const { port } = await start("one");
    const filters = [{ type: "SourceRanges", sourceRanges: { deny: ["127.0.0.0/8"] } }];
    expect((await call(await route([port], { protocol: "grpc" }, { filters }), "Unary", ["x"])).code).toBe(7);
  });

  test("a member that does not speak HTTP/2: UNAVAILABLE, and no other client suffers", async () => {
    const host = await route([node.ports.waiting]);
    expect((await call(host, "Unary", ["x"])).code).toBe(14);
  });

  test("headers may be changed on the way, as everywhere", async () => {
    const { port } = await start("one");
    const set = [{ name: "x-more", value: "1" }];
    const filters = [{ type: "ResponseHeaderModifier", responseHeaderModifier: { set } }];
    const answer = await call(await route([port], { protocol: "grpc" }, { filters }), "Unary", ["x"]);
    expect(answer.messages).toEqual(["one:x"]);
  });
});

describe("h2c", () => {
  let server: Http2Server;
  let port = 0;

  beforeAll(async () => {
    server = createServer();
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => undefined);
      stream.on("end", () => {
        const status = Number(/^\/status\/(\d+)/.exec(String(headers[":path"]))?.[1] ?? 200);
        stream.respond({ ":status": status, "content-type": "application/json" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-checksum": "abc" }));
        stream.end(JSON.stringify({ headers, body: Buffer.concat(chunks).toString() }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  interface Heard {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }

  test("by http and by https, with a body and without", async () => {
    const host = await route([port], { protocol: "h2c" });
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? "x".repeat(100_000) : undefined;
      const options = { method, ...(body !== undefined && { body }) };
      const answers = [
        await node.get(host, "/a?b=1", options),
        await requestTls(node.ports.https, host, "/a?b=1", options),
      ];
      answers.forEach(({ status, text }, place) => {
        expect(status).toBe(200);
        const heard = JSON.parse(text) as Heard;
        expect(heard.headers).toMatchObject({
          ":method": method,
          ":path": "/a?b=1",
          host,
          "x-forwarded-proto": place === 0 ? "http" : "https",
          "x-forwarded-for": "127.0.0.1",
        });
        expect(heard.body).toHaveLength(body?.length ?? 0);
      });
    }
  });

  test("retries, rewrites and compression are a rule's here, too", async () => {
    const filters = [{ type: "URLRewrite", urlRewrite: { hostname: "inner.example" } }, { type: "Gzip" }];
    const host = await route([port], { protocol: "h2c" }, { filters, retry: { attempts: 1, codes: [503] } });
    const answer = await node.get(host, `/${"long".repeat(100)}`, { headers: { "accept-encoding": "gzip" } });
    expect([answer.headers["content-encoding"], answer.headers["vary"]]).toEqual(["gzip", "Accept-Encoding"]);
    const plain = await node.get(host);
    expect((JSON.parse(plain.text) as Heard).headers["host"]).toBe("inner.example");
    expect((await node.get(host, "/status/503")).status).toBe(503);
    const without = await route([port], { protocol: "h2c" });
    const uncompressed = await node.get(without, `/${"long".repeat(100)}`, { headers: { "accept-encoding": "gzip" } });
    expect([uncompressed.headers["content-encoding"], uncompressed.headers["vary"]]).toEqual([undefined, undefined]);
  });

  test("members that were restarted: kept connections that they closed cost no answer", async () => {
    const first = createServer();
    first.on("stream", (stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const sessions: ServerHttp2Session[] = [];
    first.on("session", (session) => sessions.push(session));
    const [own = 0] = await freePorts(1);
    await new Promise<void>((resolve) => first.listen(own, "127.0.0.1", resolve));
    const host = await route([own, port], { protocol: "h2c" });
    for (let sent = 0; sent < 8; sent += 1) expect((await node.get(host)).status).toBe(200);
    expect(sessions.length).toBeGreaterThan(0);
    for (const session of sessions) session.destroy();
    for (let sent = 0; sent < 8; sent += 1) expect((await node.get(host)).status).toBe(200);
    await new Promise((resolve) => first.close(resolve));
    for (const session of sessions) session.destroy();
    for (let sent = 0; sent < 8; sent += 1) expect((await node.get(host)).status).toBe(200);
  });

  test("one address that two pools speak to in different ways: connections are not mixed up", async () => {
    const h2c = await route([port], { protocol: "h2c" });
    const http = await route([port], { protocol: "http" });
    for (let round = 0; round < 6; round += 1) {
      expect((await node.get(h2c)).status).toBe(200);
      await node.get(http).catch(() => undefined); // what is no HTTP/1.1 comes back as it is
    }
    expect((await request(node.ports.http, "/", { headers: { host: h2c } })).status).toBe(200);
  });
});
