// A node whose listeners and members have addresses of IPv6 alone.
import { request as httpRequest } from "node:http";
import { createServer as createHttps, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { Authority } from "./backend/authority.ts";
import { hold } from "./l4/client.ts";
import { applied, connectionPool, membersOf, service, settled } from "./l4/values.ts";
import { application, certificate, domain, pool, rule, slice } from "./values.ts";

const address = "::1";
const authority = new Authority("own");
let node: TestNode;
let web: Backend;

beforeAll(async () => {
  web = await startBackend("web", 0, address);
  node = await startNode({
    bind: { http: address, https: address },
    trustedProxies: ["2001:db8::/32"],
    authorities: authority.file,
  });
  await node.apply([
    ...application("web.example", "web", [{ address, port: web.port }]),
    rule("web.example", "web", { name: "web", more: { scheme: "httpandhttps" } }),
    certificate("any", makeCertificate(["web.example"])),
    domain("*", ["any"]),
  ]);
});
afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run/);
  await Promise.all([node.stop(), web.close()]);
  authority[Symbol.dispose]();
});

/** By http or by https, over IPv6; the status and what was said. */
function ask(host: string, isTls = false): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: address, path: "/", headers: { host }, agent: false, servername: host };
    const outgoing = isTls
      ? httpsRequest({ ...options, port: node.ports.https, rejectUnauthorized: false })
      : httpRequest({ ...options, port: node.ports.http });
    outgoing.on("response", (incoming) => {
      let text = "";
      incoming.on("data", (chunk) => {
        text += String(chunk);
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test("by http and by https; members hear the client's address", async () => {
  for (const isTls of [false, true]) {
    const { status, text } = await ask("web.example", isTls);
    expect(status).toBe(200);
    expect((JSON.parse(text) as Echo).headers).toMatchObject({ "x-forwarded-for": address, "x-real-ip": address });
  }
});

test("a member by TLS, verified, and one by cookie", async () => {
  const { chain, key } = authority.sign("member.example");
  const secure = createHttps({ cert: chain, key }, (_, outgoing) => outgoing.end("secure"));
  await new Promise<void>((resolve) => secure.listen(0, address, resolve));
  const tls = { verify: true, name: "member.example" };
  await node.apply([
    ...[
      pool("tls", { protocol: "https", tls, affinity: { cookie: "c" } }),
      rule("tls.example", "tls", { name: "tls" }),
    ],
    slice("tls", [{ address, port: (secure.address() as AddressInfo).port }]),
  ]);
  expect(await ask("tls.example")).toEqual({ status: 200, text: "secure" });
  secure.closeAllConnections();
  secure.close();
});

test("checks, and what is said of who is not well", async () => {
  const [closed = 0] = await freePorts(1);
  const active = { type: "tcp", interval: "100ms", unhealthy: 1, healthy: 1 };
  await node.apply([
    ...[pool("asked", { health: { active } }), rule("asked.example", "asked", { name: "asked" })],
    slice("asked", [
      { address, port: closed },
      { address, port: web.port },
    ]),
  ]);
  const of = async () => (await node.state()).health.find((it) => it.pool === "Pool/shop/asked/80");
  await expect.poll(of, { timeout: 10_000 }).toMatchObject({ address, port: closed, healthy: false });
  for (let round = 0; round < 4; round += 1) expect((await ask("asked.example")).status).toBe(200);
});

test("a port for TCP: by every address of the listeners, told on by the PROXY protocol; and TLS passed through", async () => {
  const [port = 0] = await freePorts(1);
  const heard: string[] = [];
  const member = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      // The first line may come alone.
      if (text.endsWith("\r\n")) return;
      heard.push(text);
      socket.end("bye");
    });
  });
  await new Promise<void>((resolve) => member.listen(0, address, resolve));
  await applied(node, [
    connectionPool("told", { proxyProtocol: "v1" }),
    membersOf("told", [{ address, port: (member.address() as AddressInfo).port }]),
    service("tcp", port, "told"),
  ]);
  const held = await hold(port, address);
  held.socket.write("hello");
  expect(await held.until((text) => text.endsWith("bye"))).toBe("bye");
  expect(heard[0]).toBe(`PROXY TCP6 ::1 ::1 ${held.socket.localPort} ${port}\r\nhello`);

  const through = { tenant: "shop", certificates: [], passthrough: "Pool/shop/told/1" };
  await node.apply([{ key: "Domain/through.example", value: through }]);
  await settled(node);
  await expect(ask("through.example", true)).rejects.toThrow();
  expect(heard[1]).toMatch(/^PROXY TCP6 ::1 ::1 \d+ \d+\r\n/);
  expect(heard[1]).toContain("\r\n\u0016\u0003"); // the handshake
  // Beside it: who is ended here is still known.
  const { text } = await ask("web.example", true);
  expect((JSON.parse(text) as Echo).headers["x-forwarded-for"]).toBe(address);
  member.close();
});
