// Who the client is: told to members by the PROXY protocol, and told to the node by load balancers that it trusts.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeSetupError } from "../../../infra/openresty/prepare/setup-error.ts";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { makeCertificate } from "../../harness/certificate.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { type StartOptions, startNode, type TestNode } from "../../harness/node.ts";
import { application, certificate, domain, rule } from "../values.ts";
import { greeting, hold } from "./client.ts";
import { type Member, tcpMember } from "./members.ts";
import { applied, connectionPool, listening, membersOf, service, stateOf } from "./values.ts";

const LINE = "PROXY TCP4 198.51.100.7 192.0.2.1 5555 443\r\n";

/** Version 2, of the same client. */
const BINARY = Buffer.from("0d0a0d0a000d0a515549540a" + "2111000c" + "c6336407" + "c0000201" + "15b3" + "01bb", "hex");

/** An HTTP request as bytes, on a connection from an address of this machine; the answer's body. */
function say(port: number, bytes: readonly (string | Buffer)[], localAddress = "127.0.0.1"): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
    });
    // Who is cut off may be so in the middle of what it says.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => resolve(text));
    for (const each of bytes) socket.write(each);
  });
}

function get(host: string, more: Readonly<Record<string, string>> = {}): string {
  const headers = Object.entries({ host, connection: "close", ...more });
  return `GET /at HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function echoOf(answer: string): Echo {
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)) as Echo;
}

describe("to members", () => {
  let node: TestNode;
  let told: Member;
  beforeAll(async () => {
    told = await tcpMember("told", 0, { silent: true });
    node = await startNode();
  });
  afterAll(() => Promise.all([node.stop(), told.close()]));

  test("v1: one line with the client's address and the port it came to, then what it says", async () => {
    const [port = 0] = await freePorts(1);
    await applied(node, listening("tcp", port, "told", [{ port: told.port }], { proxyProtocol: "v1" }));
    const held = await hold(port, "127.0.0.1", "127.0.0.5");
    const clientPort = held.socket.localPort ?? 0;
    await held.ask("hello");
    expect(told.heard().at(-1)?.toString()).toBe(`PROXY TCP4 127.0.0.5 127.0.0.1 ${clientPort} ${port}\r\nhello`);
    held.socket.destroy();
    await applied(node, [connectionPool("told")]);
    const plain = await hold(port);
    await plain.ask("hello");
    expect(told.heard().at(-1)?.toString()).toBe("hello");
    plain.socket.destroy();
  });

  test("v2 is refused with a reason, and opens once the pool asks for what there is", async () => {
    const [port = 0] = await freePorts(1);
    await applied(node, listening("tcp", port, "two", [{ port: told.port }], { proxyProtocol: "v2" }));
    const reason = "proxyProtocol v2 can't be sent by this nginx: use v1";
    expect(await stateOf(node, `VirtualService/tcp/${port}`)).toEqual({ state: "failed", reason });
    await expect(greeting(port)).rejects.toThrow("ECONNREFUSED");
    await applied(node, [connectionPool("two", { proxyProtocol: "v1" })]);
    expect(await stateOf(node, `VirtualService/tcp/${port}`)).toEqual({ state: "open" });
  });
});

describe("from load balancers", () => {
  let node: TestNode;
  let web: Backend;
  let told: Member;
  const hosts = ["web.example", "http.example", "to.example"];

  async function start(options: StartOptions): Promise<TestNode> {
    const started = await startNode(options);
    const [both = "", http = "", to = ""] = hosts;
    await applied(started, [
      ...application(both, "web", [{ port: web.port }]),
      rule(both, "web", { name: "web", more: { scheme: "httpandhttps" } }),
      rule(http, "web", { name: "http", more: { scheme: "http" } }),
      rule(to, "web", { name: "to", more: { scheme: "httptohttps" } }),
      certificate("any", makeCertificate(hosts)),
      domain("*", ["any"]),
    ]);
    return started;
  }

  beforeAll(async () => {
    [web, told] = await Promise.all([startBackend("web"), tcpMember("told", 0, { silent: true })]);
    const proxyProtocol = ["http", "tcp"];
    node = await start({ proxyProtocol, trustedProxies: ["127.0.0.1", "::1/128", "198.51.100.0/28"] });
  });
  afterAll(() => Promise.all([node.stop(), web.close(), told.close()]));

  test.each([
    ["version 1", LINE],
    ["version 2", BINARY],
  ])(
    "the PROXY protocol's %s of a trusted peer counts, and what the client says of itself does not",
    async (_, intro) => {
      const request = get("web.example", {
        "x-forwarded-for": "10.9.9.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
      });
      // It comes from a range that is trusted itself; a client from elsewhere is below.
      const other = Buffer.isBuffer(intro) ? Buffer.from(intro) : intro.replace("198.51.100.7", "198.51.100.77");
      if (Buffer.isBuffer(other)) other[19] = 77;
      const { headers } = echoOf(await say(node.ports.http, [other, request]));
      expect(headers).toMatchObject({
        "x-real-ip": "198.51.100.77",
        "x-forwarded-for": "198.51.100.77",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "web.example",
        "x-forwarded-port": String(node.ports.http),
      });
    },
  );

  test("a peer that is not trusted is not believed, and one that does not introduce itself is cut off", async () => {
    const { headers } = echoOf(await say(node.ports.http, [LINE, get("web.example")], "127.0.0.7"));
    expect(headers).toMatchObject({ "x-real-ip": "127.0.0.7", "x-forwarded-for": "127.0.0.7" });
    expect(await say(node.ports.http, [get("web.example")])).not.toContain("HTTP/1.1 200");
    expect(await say(node.ports.http, ["PROXY TCP4 1.2.3 x\r\n", get("web.example")])).not.toContain("HTTP/1.1 200");
  });

  test("ports of connections: the client is handed on, of trusted peers alone", async () => {
    const [port = 0, bare = 0] = await freePorts(2);
    await applied(node, [
      ...listening("tcp", port, "told", [{ port: told.port }], { proxyProtocol: "v1" }),
      connectionPool("bare"),
      membersOf("bare", [{ port: told.port }]),
      service("tcp", bare, "bare"),
    ]);
    const heard = async (to: number, intro: string | Buffer, from = "127.0.0.1") => {
      const held = await hold(to, "127.0.0.1", from);
      held.socket.write(intro);
      await held.ask("hello");
      held.socket.destroy();
      return told.heard().at(-1)?.toString();
    };
    expect(await heard(port, LINE)).toMatch(/^PROXY TCP4 198\.51\.100\.7 127\.0\.0\.1 5555 \d+\r\nhello$/);
    expect(await heard(port, BINARY)).toMatch(/^PROXY TCP4 198\.51\.100\.7 /);
    expect(await heard(port, LINE, "127.0.0.6")).toMatch(/^PROXY TCP4 127\.0\.0\.6 /);
    expect(await heard(bare, LINE)).toBe("hello");
  });

  test("X-Forwarded-* of a trusted peer: its chain is kept and goes on, anybody else's is discarded", async () => {
    await using behind = await start({ trustedProxies: ["127.0.0.1", "203.0.113.0/24", "2001:db8::/32"] });
    const headersOf = async (more: Record<string, string>, from?: string) =>
      echoOf(await say(behind.ports.http, [get("web.example", more)], from)).headers;
    const chain = "10.1.1.1, 198.51.100.9, 203.0.113.5";
    expect(
      await headersOf({ "x-forwarded-for": chain, "x-forwarded-proto": "https", "x-forwarded-port": "443" }),
    ).toMatchObject({
      "x-real-ip": "198.51.100.9",
      "x-forwarded-for": `${chain}, 127.0.0.1`,
      "x-forwarded-proto": "https",
      "x-forwarded-port": "443",
      "x-forwarded-host": "web.example",
    });
    expect(
      await headersOf({
        "x-forwarded-for": "198.51.100.9, 2001:db8::7",
        "x-forwarded-host": "www.outside.example:8443",
      }),
    ).toMatchObject({
      "x-real-ip": "198.51.100.9",
      "x-forwarded-host": "www.outside.example:8443",
      "x-forwarded-proto": "http",
      "x-forwarded-port": String(behind.ports.http),
    });
    const nonsense = { "x-forwarded-proto": "gopher", "x-forwarded-port": "443; evil", "x-forwarded-host": "a b/c" };
    expect(await headersOf(nonsense)).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-port": String(behind.ports.http),
      "x-forwarded-host": "web.example",
    });
    const lies = {
      "x-forwarded-for": "10.9.9.9",
      "x-forwarded-proto": "https",
      "x-forwarded-port": "1",
      "x-forwarded-host": "evil.example",
    };
    expect(await headersOf(lies, "127.0.0.7")).toMatchObject({
      "x-real-ip": "127.0.0.7",
      "x-forwarded-for": "127.0.0.7",
      "x-forwarded-proto": "http",
      "x-forwarded-port": String(behind.ports.http),
      "x-forwarded-host": "web.example",
    });
  });

  test("what came by https to a trusted balancer meets the rules of https: no redirect goes round in circles", async () => {
    await using behind = await start({ trustedProxies: ["127.0.0.1"] });
    const status = async (host: string, more: Record<string, string>, from?: string) =>
      Number((await say(behind.ports.http, [get(host, more)], from)).split(" ")[1]);
    const https = { "x-forwarded-proto": "https" };
    for (let time = 0; time < 2; time++) {
      expect(await status("to.example", {})).toBe(308);
      expect(await status("to.example", https)).toBe(200);
      expect(await status("to.example", https, "127.0.0.7")).toBe(308);
      expect(await status("http.example", {})).toBe(200);
      expect(await status("http.example", https)).toBe(404);
      expect(await status("web.example", https)).toBe(200);
    }
  });
});

describe("settings", () => {
  test.each<[string, StartOptions, RegExp]>([
    ["no address", { trustedProxies: ["balancer.example"] }, /IP address or a range/],
    ["a mask too long", { trustedProxies: ["10.0.0.0/33"] }, /IP address or a range/],
    ["two masks", { trustedProxies: ["10.0.0.0/8/8"] }, /IP address or a range/],
    ["configuration", { trustedProxies: ["10.0.0.0/8; include x"] }, /IP address or a range/],
    ["a zone", { trustedProxies: ["fe80::1%eth0"] }, /IP address or a range/],
    ["too many", { trustedProxies: Array.from({ length: 257 }, () => "10.0.0.1") }, /at most 256/],
    ["an unknown listener", { proxyProtocol: ["admin"], trustedProxies: ["::1"] }, /http, https and tcp, not on admin/],
    ["nobody to trust", { proxyProtocol: ["http"] }, /name the load balancer's addresses/],
  ])("%s", async (_, options, reason) => {
    const failed = await startNode(options).then(
      async (node) => node.stop(),
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(NodeSetupError);
    expect(String(failed)).toMatch(reason);
  });
});
