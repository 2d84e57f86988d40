// The admin API where others than this machine reach it: over TLS, by who knows a key; and v1 for a Rainbond's network.
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KEY, request, startNode, type TestNode } from "../harness/node.ts";

const run = promisify(execFile);
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "entrance-admin-"));
  const own = makeCertificate(["localhost"]);
  const other = makeCertificate(["other.example"]);
  writeFileSync(file("cert.pem"), own.chain);
  writeFileSync(file("key.pem"), own.key);
  writeFileSync(file("other.pem"), other.key);
  writeFileSync(file("garbage.pem"), "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
  execFileSync("openssl", [
    "pkey",
    "-in",
    file("key.pem"),
    "-aes256",
    "-passout",
    "pass:x",
    "-out",
    file("locked.pem"),
  ]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const adminTls = () => ({ certificate: file("cert.pem"), key: file("key.pem") });

/** curl's status and what it printed; 0 where it got no answer. */
async function curl(...args: readonly string[]): Promise<{ status: number; text: string }> {
  const all = ["-s", "-w", "\n%{http_code}", "--max-time", "10", ...args];
  const { stdout } = await run("curl", all).catch((error: { stdout: string }) => error);
  const lines = stdout.split("\n");
  return { status: Number(lines.pop()), text: lines.join("\n") };
}

describe("over TLS", () => {
  let node: TestNode;
  const url = (path: string) => `https://localhost:${node.ports.admin}${path}`;
  const key = ["-H", `Authorization: Bearer ${KEY}`];

  beforeAll(async () => {
    node = await startNode({ adminTls: adminTls(), bind: { admin: "0.0.0.0" }, keys: [KEY, "another-key-of-tests"] });
  });

  afterAll(async () => {
    await node?.stop();
  });

  test("with either of two keys, and not without", async () => {
    const trusting = ["--cacert", file("cert.pem")];
    expect((await curl(...trusting, ...key, url("/v2/state"))).status).toBe(200);
    const second = ["-H", "Authorization: Bearer another-key-of-tests"];
    expect((await curl(...trusting, ...second, url("/v2/state"))).status).toBe(200);
    for (const wrong of ["", "Bearer", "Bearer ", `Bearer ${KEY}x`, `Bearer ${KEY.slice(0, -1)}`, `Basic ${KEY}`]) {
      expect((await curl(...trusting, "-H", `Authorization: ${wrong}`, url("/v2/state"))).status, wrong).toBe(401);
    }
    expect((await curl(...trusting, url("/v1/upstreams"))).status).toBe(401);
    expect((await curl(...trusting, url("/metrics"))).status).toBe(401);
  });

  test("never in the clear, and by no old protocol", async () => {
    expect((await request(node.ports.admin, "/v2/state", { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(
      400,
    );
    expect((await curl("--cacert", file("cert.pem"), ...key, "--tls-max", "1.1", url("/v2/state"))).status).toBe(0);
    expect((await curl("--cacert", file("cert.pem"), ...key, "--tlsv1.3", url("/v2/state"))).status).toBe(200);
    expect((await curl(...key, url("/v2/state"))).status).toBe(0); // nobody signed it for curl
  });

  test.each(["node", "workerd"] as const)("Entrance in %s reaches it", async (platform) => {
    const trusted = platform === "node" ? "ENTRANCE_NODE_CA" : "NODE_EXTRA_CA_CERTS";
    const environment = { [trusted]: file("cert.pem") };
    await using entrance = await EntranceProcess.start({ platform, nodes: [url("")], environment });
    await vi.waitFor(
      async () => {
        const [balancer] = (await entrance.status()).balancers;
        const { answeredAt, error } = balancer?.nodes[0] ?? {};
        expect([typeof answeredAt, error ?? "none"]).toEqual(["number", expect.not.stringMatching(/no answer/)]);
      },
      { timeout: 15_000, interval: 100 },
    );
  });
});

describe("what can't be used is refused with a sentence", () => {
  const files = (certificate: string, key: string) => ({ certificate: file(certificate), key: file(key) });
  test.each<[string, () => object, RegExp]>([
    [
      "others, without a certificate",
      () => ({ bind: { admin: "0.0.0.0" } }),
      /needs a certificate where others reach it/,
    ],
    ["another's key", () => ({ adminTls: files("cert.pem", "other.pem") }), /other\.pem is not the key/],
    ["a key with a password", () => ({ adminTls: files("cert.pem", "locked.pem") }), /without a password/],
    ["garbage", () => ({ adminTls: files("garbage.pem", "key.pem") }), /must hold a certificate/],
    ["no such file", () => ({ adminTls: files("none.pem", "key.pem") }), /not there or may not be read/],
    ["a path with ;", () => ({ adminTls: files("a;b", "key.pem") }), /needs a path without/],
    ["v1 for nobody", () => ({ v1: { listen: "127.0.0.1:1", allow: [] } }), /v1 has no key/],
    ["v1 without a port", () => ({ v1: { listen: "127.0.0.1", allow: ["10.0.0.0/8"] } }), /v1's port must be/],
    ["v1 at a name", () => ({ v1: { listen: "localhost:1", allow: ["10.0.0.0/8"] } }), /v1's address must be an IP/],
    ["v1 for a name", () => ({ v1: { listen: "127.0.0.1:1", allow: ["all"] } }), /must be an IP address or a range/],
    [
      "v1 for /33",
      () => ({ v1: { listen: "127.0.0.1:1", allow: ["10.0.0.0/33"] } }),
      /must be an IP address or a range/,
    ],
    ["v1 for text", () => ({ v1: { listen: "127.0.0.1:1", allow: ["10.0.0.1; allow all"] } }), /IP address or a range/],
  ])("%s", async (_, options, sentence) => {
    await expect(startNode(options())).rejects.toThrow(sentence);
  });
});

describe("v1 for an existing Rainbond", () => {
  let backend: Backend;
  let node: TestNode;
  let port = 0;
  // An address of this machine that is not loopback.
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

  beforeAll(async () => {
    backend = await startBackend("old");
    const [v1 = 0, http = 0, https = 0, admin = 0, health = 0, waiting = 0] = await freePorts(6);
    port = v1;
    const allow = ["127.0.0.0/8"];
    const ports = { http, https, admin, health, waiting };
    node = await startNode({ ports, v1: { listen: `0.0.0.0:${port}`, allow }, trustedProxies: ["0.0.0.0/0"] });
  });

  afterAll(async () => {
    await node?.stop();
    await backend?.close();
  });

  test("who is allowed needs no key, and may use v1 and /health", async () => {
    const body = JSON.stringify({ name: "a.b", protocol: "http", servers: [{ addr: `127.0.0.1:${backend.port}` }] });
    expect((await request(port, "/v1/upstreams/a.b", { method: "UPDATE", body })).status).toBe(205);
    expect((await request(port, "/health")).status).toBe(205);
    expect((await node.get("a.b")).status).toBe(200);
    for (const path of ["/v2/state", "/metrics", "/", "/v2/drain"]) {
      expect((await request(port, path, { headers: { authorization: `Bearer ${KEY}` } })).status, path).toBe(404);
    }
  });

  test("others are refused, whatever they say of themselves", async () => {
    if (own === undefined) throw new Error("this test needs a network interface beside loopback: ip link add");
    const asOther = ["--interface", own, `http://${own}:${port}/v1/upstreams`];
    expect((await curl(...asOther)).status).toBe(403);
    expect((await curl("-H", "X-Forwarded-For: 127.0.0.1", ...asOther)).status).toBe(403);
    expect((await curl("-H", `Authorization: Bearer ${KEY}`, ...asOther)).status).toBe(403);
  });

  test("without it there is no such listener", async () => {
    await using none = await startNode();
    await expect(request(port + 1, "/health")).rejects.toThrow();
    expect((await request(none.ports.admin, "/v1/upstreams")).status).toBe(205);
  });
});

describe("who asks too often, too much or too slowly is stopped, and others are not", () => {
  test.each(["health", "admin"] as const)("on the %s listener", async (listener) => {
    await using node = await startNode();
    const port = node.ports[listener];
    const path = listener === "health" ? "/ready" : "/v2/state";
    const many = await Promise.all(Array.from({ length: 300 }, () => request(port, path).catch(() => undefined)));
    expect(new Set(many.map((answer) => answer?.status ?? 0))).not.toContain(500);
    const tooLong = await request(port, path, { method: "POST", body: "x".repeat(300_000) }).catch(() => undefined);
    expect([undefined, 401, 405, 413]).toContain(tooLong?.status);
    // Headers that never end: the connection is closed, and nobody else waits for it.
    const slow = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => slow.once("close", resolve));
    slow.on("error", () => undefined);
    slow.write("GET / HTTP/1.1\r\nHost: x\r\nX-A: ");
    expect((await request(node.ports.health, "/health")).status).toBe(200);
    await closed;
    expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]/);
  });

  // From another address than everybody else's here.
  const withhold = (port: number, head: string) =>
    Promise.all(
      Array.from({ length: 300 }, async () => {
        const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
        socket.on("error", () => undefined);
        socket.write(`${head}\r\nHost: x\r\nContent-Length: 500\r\n\r\n`);
        await Promise.race([once(socket, "data"), once(socket, "close"), sleep(2_000)]);
        return socket;
      }),
    );

  test.each([
    ["health", "POST /ready HTTP/1.1"],
    ["health", "GET /health HTTP/1.1"],
    ["health", "POST /metrics HTTP/1.1"],
    ["admin", "POST /v2/changes HTTP/1.1"],
    ["admin", "POST /v1/upstreams/a HTTP/1.1"],
  ] as const)("bodies that never come to %s, %s, keep no answer about health back", async (listener, head) => {
    await using node = await startNode({ workers: 1 });
    await node.apply([]);
    const held = await withhold(node.ports[listener], head);
    const statuses = [(await request(node.ports.health, "/health")).status, await node.isReady()];
    if (listener === "health") statuses.push((await node.admin("/v2/state")).status);
    for (const socket of held) socket.destroy();
    expect(statuses).toEqual(listener === "health" ? [200, true, 200] : [200, true]);
  });

  test("a thousand scrapes at once: some are told to come later", async () => {
    await using node = await startNode();
    const codes = await run("curl", [
      ...["-s", "-o", "/dev/null", "--parallel", "--parallel-max", "50", "-w", "%{http_code}\n"],
      `http://127.0.0.1:${node.ports.health}/ready?[1-2000]`,
    ]).catch((error: { stdout: string }) => error);
    const counts = new Map<string, number>();
    for (const code of codes.stdout.trim().split("\n")) counts.set(code, (counts.get(code) ?? 0) + 1);
    expect(counts.get("429") ?? 0).toBeGreaterThan(0);
    expect((counts.get("503") ?? 0) + (counts.get("429") ?? 0)).toBe(2000);
  });
});
