// HTTPS by v1's servers, as an existing Rainbond makes them: cert and key, and toHTTPS for the half that redirects.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { requestTls } from "../../harness/https.ts";
import { request, startNode, type TestNode } from "../../harness/node.ts";
import { application, certificate, domain } from "../values.ts";

const pair = makeCertificate(["v1.example"]);
const renewed = makeCertificate(["renewed.example"], { key: "rsa:2048" });
let node: TestNode;
let old: Backend;
let young: Backend;

beforeAll(async () => {
  old = await startBackend("old");
  young = await startBackend("young");
  node = await startNode({ publicHttpsPort: 10_443 });
  const servers = [{ addr: `127.0.0.1:${old.port}`, weight: 1, state: "Active" }];
  expect(await update("upstreams", "5000.app.tenant", { servers, protocol: "http" })).toEqual([205, "success"]);
});
afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit|error)\]/);
  await node.stop();
  await old.close();
  await young.close();
});

async function update(kind: string, name: string, body: object, method = "UPDATE"): Promise<[number, string]> {
  const text = JSON.stringify({ ...body, name });
  const answer = await request(node.ports.admin, `/v1/${kind}/${name}`, { method, body: text });
  return [answer.status, (JSON.parse(answer.text) as { message: string }).message];
}

function server(protocol: "http" | "https", { chain, key }: Pair, more: Readonly<Record<string, unknown>> = {}) {
  const [cert, port] = [protocol === "https" ? { cert: chain, key } : { cert: "", key: "" }, 10_443];
  return update("servers", "app.Rule", {
    ...cert,
    domain: "v1.example",
    port,
    path: "/",
    protocol,
    toHTTPS: "false",
    options: {},
    upstream: "5000.app.tenant",
    ...more,
  });
}

async function byTls(): Promise<[string, string]> {
  const { certificate: presented, status, text } = await requestTls(node.ports.https, "v1.example");
  return [presented.subject, status === 200 ? (JSON.parse(text) as Echo).name : String(status)];
}

test("a server of https serves by https alone, one that redirects by http alone", async () => {
  expect(await server("https", pair)).toEqual([205, "success"]);
  expect(await byTls()).toEqual(["CN=v1.example", "old"]);
  expect((await node.get("v1.example")).status).toBe(404);
  expect(await server("http", pair, { toHTTPS: true })).toEqual([205, "success"]);
  const answer = await node.get("v1.example", "/x?y", { method: "POST", body: "z" });
  expect([answer.status, answer.headers.location]).toEqual([308, "https://v1.example:10443/x?y"]);
  expect(await byTls()).toEqual(["CN=v1.example", "old"]);
});

test("another certificate is presented at once, and over a restart", async () => {
  expect(await server("https", renewed)).toEqual([205, "success"]);
  expect(await byTls()).toEqual(["CN=renewed.example", "old"]);
  await node.restart();
  expect(await byTls()).toEqual(["CN=renewed.example", "old"]);
});

test.each<[string, Pair, RegExp]>([
  ["another's key", { ...pair, key: renewed.key }, /^key does not belong to the first certificate/],
  ["garbage", { ...pair, chain: "PEM" }, /^cert is no PEM certificate chain/],
  ["an expired one", makeCertificate(["v1.example"], { until: "20210101000000Z" }), /^the certificate expired on 2021/],
])("%s is refused, and what was there stays", async (_, wrong, reason) => {
  const [status, message] = await server("https", wrong);
  expect([status, message]).toEqual([405, expect.stringMatching(reason)]);
  expect(await byTls()).toEqual(["CN=renewed.example", "old"]);
});

test("v2's certificate and rule of the same host win", async () => {
  const own = makeCertificate(["v2.example"]);
  await node.apply([certificate("own", own), domain("v1.example", ["own"])]);
  expect(await byTls()).toEqual(["CN=v2.example", "old"]);
  await node.apply(
    application("v1.example", "web", [{ port: young.port }]).map(({ key, value }) => ({
      key,
      value: key.startsWith("Rule/") ? { ...(value as object), scheme: "https" } : value,
    })),
  );
  expect(await byTls()).toEqual(["CN=v2.example", "young"]);
  const shadowed = { v1: "servers/app.Rule", protocol: "https", domain: "v1.example" };
  expect((await node.state()).shadowed).toEqual([shadowed]);
  expect((await node.get("v1.example")).status).toBe(308); // http's half claims nothing of that
  await node.apply([{ key: "Domain/v1.example", value: null }]);
  expect(await byTls()).toEqual(["CN=renewed.example", "young"]);
});

test("deleted, the name has no certificate any more", async () => {
  expect(await update("servers", "app.Rule", { protocol: "https" }, "DELETE")).toEqual([205, "success"]);
  await expect(byTls()).rejects.toThrow(/alert handshake failure/);
});
