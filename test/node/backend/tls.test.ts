// Members that speak TLS: who is verified, by whom and for which name, and that no kept connection passes for another.
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcp } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { request, startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";
import { Authority } from "./authority.ts";
import { GrpcClient, startGrpc } from "./grpc-service.ts";

const system = new Authority("the system's");
const own = new Authority("own");
const stranger = new Authority("a stranger");
const front = makeCertificate(["front.tls.example"]);
let node: TestNode;
const servers: Server[] = [];

beforeAll(async () => {
  node = await startNode({ authorities: system.file });
  await node.apply([certificate("front", front), domain("*", ["front"])]);
});

afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run|could not find named/);
  await node?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  for (const it of [system, own, stranger]) it[Symbol.dispose]();
});

interface Member {
  readonly port: number;
  readonly server: Server;
  /** The names asked for, one for each connection. */
  readonly names: string[];
  readonly requests: () => number;
}

/** With a pair for each name that may be asked for; the first for any other. */
async function startMember(...pairs: readonly Pair[]): Promise<Member> {
  const names: string[] = [];
  let requests = 0;
  const [{ chain: cert = "", key = "" } = {}] = pairs;
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    requests += 1;
    outgoing.end(JSON.stringify({ name: (incoming.socket as TLSSocket).servername, host: incoming.headers.host }));
  });
  server.on("secureConnection", (socket: TLSSocket & { servername?: string | false }) => {
    names.push(String(socket.servername));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, server, names, requests: () => requests };
}

let count = 0;
async function route(port: number, tls: object | undefined, more: Readonly<Record<string, unknown>> = {}) {
  const name = `tls-${count++}`;
  const rejected = await node.apply([
    pool(name, { protocol: "https", ...(tls && { tls }), ...more }),
    slice(name, [{ port }]),
    rule(`${name}.tls.example`, name, { name }),
  ]);
  if (rejected.length > 0) throw new Error(rejected[0]?.reason);
  return `${name}.tls.example`;
}

/** Once all workers know the pool's authorities, which takes a reload. */
async function routeOwn(port: number, tls: Readonly<Record<string, unknown>>, more = {}): Promise<string> {
  const host = await route(port, tls, more);
  const statuses = () => Promise.all(Array.from({ length: 10 }, async () => (await node.get(host)).status));
  await expect.poll(statuses, { timeout: 15_000, interval: 100 }).not.toContain(503);
  return host;
}

const refused = /upstream SSL certificate (verify error|does not match)/;

describe("signed for by whom the system trusts", () => {
  test("a member that proves its name is asked, with SNI, on kept connections", async () => {
    const member = await startMember(system.sign("inner.example"));
    const host = await route(member.port, { verify: true, name: "inner.example" });
    for (let sent = 0; sent < 8; sent += 1) {
      const { status, text } = await node.get(host);
      expect([status, JSON.parse(text)]).toEqual([200, { name: "inner.example", host }]);
    }
    expect(member.names.length).toBeLessThan(5);
  });

  test("without a name: the host of the request", async () => {
    const host = `tls-${count}.tls.example`;
    const member = await startMember(system.sign(host));
    expect((await node.get(await route(member.port, { verify: true }))).status).toBe(200);
    expect(member.names[0]).toBe(host);
  });

  test("unless it is said otherwise, members are verified", async () => {
    const member = await startMember(stranger.sign(`tls-${count}.tls.example`));
    expect((await node.get(await route(member.port, undefined))).status).toBe(502);
  });

  test.each<[string, () => Pair]>([
    ["another name", () => system.sign("other.example")],
    ["another authority", () => stranger.sign("inner.example")],
    ["itself", () => makeCertificate(["inner.example"])],
    ["a time that is over", () => system.sign("inner.example", "20210101000000Z")],
  ])("one that has a certificate of %s gets no request: 502, one line in the log", async (_, make) => {
    const member = await startMember(make());
    const host = await route(member.port, { verify: true, name: "inner.example" });
    const before = node.log().length;
    expect((await node.get(host)).status).toBe(502);
    expect((await node.get(host, "/", { method: "POST", body: "secret" })).status).toBe(502);
    expect(member.requests()).toBe(0);
    const lines = node
      .log()
      .slice(before)
      .split("\n")
      .filter((line) => refused.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toContain("[error]");
    await expect
      .poll(async () => (await node.state()).health.find(({ port }) => port === member.port)?.reason)
      .toMatch(/^its certificate was not accepted/);
  });

  test("the state says what it was: a handshake, or not even a connection", async () => {
    const plain = createTcp((socket) => socket.on("error", () => undefined).end("no TLS here\r\n"));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain.address() as AddressInfo;
    const [closed = 0] = await freePorts(1);
    for (const [at, reason] of [
      [port, /^it did not take part in a TLS handshake/],
      [closed, /^it took no connection: connection refused/],
    ] as const) {
      expect((await node.get(await route(at, { verify: false }))).status).toBe(502);
      const said = async () => (await node.state()).health.find((it) => it.port === at)?.reason;
      await expect.poll(said).toMatch(reason);
    }
    plain.close();
  });

  test("gRPC, verified and not", async () => {
    await using right = await startGrpc("right", system.sign("inner.example"));
    await using wrong = await startGrpc("wrong", stranger.sign("inner.example"));
    for (const [backend, code] of [
      [right, 0],
      [wrong, 14],
    ] as const) {
      const host = await route(backend.port, { verify: true, name: "inner.example" }, { protocol: "grpc" });
      await node.apply([rule(host, host.split(".")[0] ?? "", { name: "both", more: { scheme: "https" } })]);
      using client = new GrpcClient(node.ports.https, "front.tls.example", front.chain, host);
      expect((await client.call("Unary", ["x"])).code).toBe(code);
    }
    expect(wrong.calls()).toBe(0);
  });
});

describe("signed for by a pool's own authorities", () => {
  test("theirs and nobody else's: not the system's, nor another pool's", async () => {
    const members = {
      own: await startMember(own.sign("inner.example")),
      system: await startMember(system.sign("inner.example")),
    };
    const tls = { verify: true, name: "inner.example", ca: own.certificate };
    const workers = (await node.state()).workers.map(({ pid }) => pid);
    expect((await node.get(await routeOwn(members.own.port, tls))).status).toBe(200);
    expect((await node.get(await routeOwn(members.system.port, tls))).status).toBe(502);
    const both = { ...tls, ca: `${own.certificate}${stranger.certificate}` };
    const third = await startMember(stranger.sign("inner.example"));
    expect((await node.get(await routeOwn(third.port, both))).status).toBe(200);
    expect((await node.get(await routeOwn(third.port, tls))).status).toBe(502);
    expect((await node.state()).workers.map(({ pid }) => pid)).not.toEqual(workers);
  });

  test("the same again, and a change of members, need no reload", async () => {
    const member = await startMember(own.sign("inner.example"));
    const tls = { verify: true, name: "inner.example", ca: own.certificate };
    await routeOwn(member.port, tls);
    const workers = (await node.state()).workers.map(({ pid }) => pid);
    const host = await route(member.port, { ...tls, ca: own.certificate.replaceAll("\n", "\r\n") });
    expect((await node.get(host)).status).toBe(200);
    expect((await node.state()).workers.map(({ pid }) => pid)).toEqual(workers);
  });

  test("until nginx knows them nobody is asked: 503, and never unverified", async () => {
    const another = new Authority("another");
    try {
      const member = await startMember(stranger.sign("inner.example"));
      const host = await route(member.port, { verify: true, name: "inner.example", ca: another.certificate });
      const waiting = (await node.state()).awaitingAuthorities.map((it) => it.pool);
      expect(waiting).toContain(`Pool/shop/${host.split(".")[0]}/80`);
      const seen = new Set<number>();
      await expect
        .poll(async () => seen.add((await node.get(host)).status).has(502), { timeout: 15_000, interval: 20 })
        .toBe(true);
      await expect.poll(async () => (await node.state()).awaitingAuthorities).toEqual([]);
      expect([...seen].filter((status) => status !== 502 && status !== 503)).toEqual([]);
      expect(member.requests()).toBe(0);
    } finally {
      another[Symbol.dispose]();
    }
  });

  test("what is no certificate is refused, and nothing else of it reaches a file", async () => {
    const begin = "-----BEGIN CERTIFICATE-----\n";
    const nonsense = [
      `${begin}AAAA\n-----END CERTIFICATE-----\n`,
      `${begin}"; } location / { return 200; }\n-----END CERTIFICATE-----\n`,
      begin,
      `${own.certificate}${begin}AAAA\n-----END CERTIFICATE-----\n`,
    ];
    for (const ca of nonsense) {
      await expect(route(1, { verify: true, ca })).rejects.toThrow(/tls.ca/);
    }
    const member = await startMember(own.sign("inner.example"));
    const ca = `${own.certificate}# "; } location / { return 200; }\n`;
    const host = await routeOwn(member.port, { verify: true, name: "inner.example", ca });
    expect((await node.get(host)).status).toBe(200);
  });
});

describe("without verifying", () => {
  test("anybody is asked, with the name that was said", async () => {
    const member = await startMember(makeCertificate(["whoever.example"]));
    expect((await node.get(await route(member.port, { verify: false, name: "said.example" }))).status).toBe(200);
    expect(member.names).toEqual(["said.example"]);
  });

  test("statuses are tried again, answers compressed, WebSockets go through", async () => {
    const member = await startMember(makeCertificate(["whoever.example"]));
    const sockets = new WebSocketServer({ server: member.server });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`heard ${String(data)}`)));
    const host = await route(member.port, { verify: false });
    const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/`, { headers: { host } });
    const heard = new Promise<string>((resolve, reject) => {
      socket.on("open", () => socket.send("hello"));
      socket.on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
    });
    expect(await heard).toBe("heard hello");
    socket.terminate();
  });
});

describe("a kept connection is one identity's", () => {
  test("who was not verified, or for another name, is verified anew", async () => {
    const member = await startMember(system.sign("right.example"));
    const settings = [
      { verify: false, name: "right.example" },
      { verify: true, name: "right.example" },
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const tls of settings) expect((await node.get(await route(member.port, tls))).status).toBe(200);
      const wrong = await route(member.port, { verify: true, name: "wrong.example" });
      for (let sent = 0; sent < 3; sent += 1) expect((await node.get(wrong)).status).toBe(502);
      const others = await routeOwn(member.port, { verify: true, name: "right.example", ca: own.certificate });
      for (let sent = 0; sent < 3; sent += 1) expect((await node.get(others)).status).toBe(502);
    }
  });

  test("of more identities than there are groups of connections, too", async () => {
    const member = await startMember(system.sign("right.example"));
    const names = Array.from({ length: 24 }, (_, place) => (place % 2 === 0 ? "right.example" : `n${place}.example`));
    const hosts: string[] = [];
    for (const name of names) hosts.push(await route(member.port, { verify: true, name }));
    for (let round = 0; round < 3; round += 1) {
      for (const [place, host] of hosts.entries()) {
        expect((await request(node.ports.http, "/", { headers: { host } })).status).toBe(place % 2 === 0 ? 200 : 502);
      }
    }
  });
});
