// TLS that is passed through by its name, beside TLS that the node ends, on one port.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { makeCertificate } from "../../harness/certificate.ts";
import { requestTls } from "../../harness/https.ts";
import { type Change, startNode, type TestNode } from "../../harness/node.ts";
import { application } from "../values.ts";
import { hold } from "./client.ts";
import { type TlsMember, tlsMember } from "./tls-member.ts";
import { applied, connectionPool, membersOf, stateOf } from "./values.ts";

const run = promisify(execFile);

let node: TestNode;
let web: Backend;
let vault: TlsMember;
let safe: TlsMember;

/** Whom the handshake meets: a member by its name, or the node by its certificate's. */
async function met(port: number, servername: string, localAddress = "127.0.0.1"): Promise<string> {
  const plain = connectPlain({ port, host: "127.0.0.1", localAddress });
  const socket = connect({ socket: plain, servername, rejectUnauthorized: false });
  plain.on("error", () => undefined);
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "secureConnect"), once(plain, "close")]).catch(() => undefined);
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject === undefined ? "nobody" : subject.replace("CN=", "");
}

function domain(name: string, more: object = {}): Change {
  return { key: `Domain/${name}`, value: { tenant: "shop", certificates: [], ...more } };
}

function ended(name: string): Change[] {
  const { chain, key } = makeCertificate([name]);
  const notAfter = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
  const certificate = `Certificate/shop/${name.replace("*", "any")}`;
  return [
    { key: certificate, value: { chain, key, names: [name], notAfter } },
    domain(name, { certificates: [certificate] }),
  ];
}

function passed(name: string, pool: string): Change {
  return domain(name, { passthrough: `Pool/shop/${pool}/1` });
}

beforeAll(async () => {
  [web, vault, safe] = await Promise.all([startBackend("web"), tlsMember("vault"), tlsMember("safe")]);
  node = await startNode();
  await applied(node, [
    ...ended("web.example"),
    ...application("web.example", "web", [{ port: web.port }]).map(({ key, value }) => ({
      key,
      value: key.startsWith("Rule/") ? { ...(value as object), scheme: "https" } : value,
    })),
    connectionPool("vault"),
    membersOf("vault", [{ port: vault.port }]),
    connectionPool("safe", { proxyProtocol: "v1" }),
    membersOf("safe", [{ port: safe.port }]),
    connectionPool("empty"),
  ]);
});
afterAll(async () => {
  await Promise.all([node.stop(), web.close(), vault[Symbol.asyncDispose](), safe[Symbol.asyncDispose]()]);
});

test("the port changes hands and back under load: no connection is refused or cut, and the client stays known", async () => {
  expect((await node.state()).reloads).toBe(0);
  let isOver = false;
  const failures: string[] = [];
  let answered = 0;
  const ask = async (from: string) => {
    while (!isOver) {
      const answer = await requestTls(node.ports.https, "web.example", "/").catch((error: unknown) => String(error));
      if (typeof answer !== "string" && answer.status === 200) answered += 1;
      else failures.push(`${from}: ${typeof answer === "string" ? answer : answer.status}`);
    }
  };
  const asking = [ask("a"), ask("b"), ask("c")];
  for (let round = 0; round < 3; round++) {
    await applied(node, [passed("vault.example", "vault")]);
    expect(await met(node.ports.https, "vault.example")).toBe("vault.member.example");
    await applied(node, [{ key: "Domain/vault.example", value: null }]);
    expect(await met(node.ports.https, "vault.example")).toBe("nobody");
  }
  isOver = true;
  await Promise.all(asking);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(50);
  // Back takes two: what ends TLS behind the front stays until no old worker's front leads there.
  expect((await node.state()).reloads).toBeLessThanOrEqual(9);
});

test("what is ended here beside it: the client's own address, the port and the protocol are told", async () => {
  await applied(node, [passed("vault.example", "vault")]);
  const { stdout } = await run("curl", [
    ...["-sk", "--interface", "127.0.0.9", "--connect-to", `web.example:443:127.0.0.1:${node.ports.https}`],
    ...["-X", "POST", "-d", "body", "https://web.example/"],
  ]);
  const { headers } = JSON.parse(stdout) as Echo;
  expect(headers).toMatchObject({
    "x-forwarded-for": "127.0.0.9",
    "x-real-ip": "127.0.0.9",
    "x-forwarded-proto": "https",
    "x-forwarded-port": String(node.ports.https),
  });
  const text = await requestTls(node.ports.https, "web.example", "/");
  expect((JSON.parse(text.text) as Echo).headers["x-forwarded-for"]).toBe("127.0.0.1");
});

test("openssl's client shakes hands with the member, with the case of the name as it likes", async () => {
  const connecting = [
    "s_client",
    "-connect",
    `127.0.0.1:${node.ports.https}`,
    "-servername",
    "VAULT.example",
    "-quiet",
  ];
  const { stdout } = await run("openssl", [...connecting, "-verify_quiet", "-ignore_unexpected_eof"]);
  expect(stdout).toBe("vault at VAULT.example\n");
});

test("the most specific name decides: itself, its wildcard of one label, everything", async () => {
  await applied(node, [
    passed("*.wild.example", "vault"),
    passed("safe.wild.example", "safe"),
    ...ended("own.wild.example"),
    ...ended("*.deep.wild.example"),
  ]);
  const at = (name: string) => met(node.ports.https, name);
  expect(await at("any.wild.example")).toBe("vault.member.example");
  expect(await at("safe.wild.example")).toBe("safe.member.example");
  expect(await at("own.wild.example")).toBe("own.wild.example");
  expect(await at("a.deep.wild.example")).toBe("*.deep.wild.example");
  expect(await at("a.b.wild.example")).toBe("nobody");
  expect(await at("wild.example")).toBe("nobody");
  await applied(node, [passed("*", "safe")]);
  expect(await at("a.b.wild.example")).toBe("safe.member.example");
  expect(await at("any.wild.example")).toBe("vault.member.example");
  expect(await at("own.wild.example")).toBe("own.wild.example");
  expect(await at("a.deep.wild.example")).toBe("*.deep.wild.example");
  expect(await at("web.example")).toBe("web.example");
  expect(await at("")).toBe("safe.member.example");
  // A name that comes later is an exception, too.
  await applied(node, ended("later.wild.example"));
  expect(await at("later.wild.example")).toBe("later.wild.example");
  await applied(node, [{ key: "Domain/*", value: null }]);
});

test("a pool that wants to be told hears of the client by the PROXY protocol, another hears the handshake alone", async () => {
  await applied(node, [passed("safe.example", "safe"), passed("vault.example", "vault")]);
  expect(await met(node.ports.https, "safe.example", "127.0.0.8")).toBe("safe.member.example");
  expect(safe.introductions().at(-1)).toMatch(
    new RegExp(`^PROXY TCP4 127\\.0\\.0\\.8 127\\.0\\.0\\.1 \\d+ ${node.ports.https}\r\n$`),
  );
  await met(node.ports.https, "vault.example");
  expect(new Set(vault.introductions())).toEqual(new Set([""]));
});

test("without members, and for what a node can't do: closed at once, with a reason", async () => {
  await applied(node, [
    passed("empty.example", "empty"),
    passed("later.example", "later"),
    connectionPool("later", { proxyProtocol: "v2" }),
  ]);
  expect(await met(node.ports.https, "empty.example")).toBe("nobody");
  const reason = "proxyProtocol v2 can't be sent by this nginx: use v1";
  expect(await stateOf(node, "Domain/later.example")).toEqual({ state: "failed", reason });
  expect(await stateOf(node, "Domain/empty.example")).toEqual({ state: "open" });
});

test("names that nginx would take for its own words, and clients that send no handshake", async () => {
  const words = ["default", "hostnames", "include", "volatile"];
  await applied(
    node,
    words.map((name) => passed(name, "vault")),
  );
  for (const name of words) expect(await met(node.ports.https, name)).toBe("vault.member.example");
  const held = await hold(node.ports.https);
  held.socket.write("GET / HTTP/1.1\r\nHost: web.example\r\n\r\n");
  expect(await held.until((text) => text.includes("\r\n"))).toMatch(/^HTTP\/1\.1 400/);
  held.socket.destroy();
  for (const name of ["a;b", "~a", "a b", "$host", "a{", "x\ny"]) {
    const key = `Domain/${encodeURIComponent(name)}`;
    const answer = await node.post(
      node.sender.changes([{ key, value: { tenant: "t", certificates: [], passthrough: "Pool/shop/vault/1" } }]),
    );
    if (answer.status === 200) expect(JSON.parse(answer.text)).toMatchObject({ rejected: [{ key }] });
    else {
      node.sender.set(key, null);
      node.sender.revision -= 1;
    }
  }
  expect(await met(node.ports.https, "web.example")).toBe("web.example");
});
