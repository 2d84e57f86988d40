/** Requests to a node's admin API that nobody means well with: well-formed envelopes with poison in them, and worse. */
import { type Answer, type Change, hashOf, type RequestOptions, request, type TestNode } from "../../harness/node.ts";
import { application, pool, rule, slice } from "../../node/values.ts";
import type { Outcome } from "./data-request.ts";
import { oneOf, poisoned, type Roll } from "./words.ts";

const kinds = ["Pool", "Node", "Domain", "VirtualService", "Rule", "Certificate", "Nothing"];
const segmentCounts: Readonly<Record<string, number>> = {
  Pool: 3,
  Node: 4,
  Domain: 1,
  VirtualService: 2,
  Rule: 5,
  Certificate: 2,
  Nothing: 1,
};

/** Of each kind one that a node can use. */
function wholesome(roll: Roll): Change {
  const filters = [
    { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "X-A", value: "b" }] } },
    { type: "RequestRedirect", requestRedirect: { hostname: "other.example", statusCode: 302 } },
    { type: "CORS", cors: { allowOrigins: ["https://a.example"] } },
    { type: "RateLimit", rateLimit: { requests: 10, per: "1s" } },
  ];
  return oneOf<Change>(roll, [
    pool("victim", { health: { active: { type: "http", path: "/health" } }, hash: { by: "header", name: "X-A" } }),
    slice("victim", [{ port: 8080 }]),
    rule("victim.example", "victim", { more: { filters: [oneOf(roll, filters)] } }),
    rule("victim.example", "victim", {
      headers: [{ name: "X-A", value: "b", type: "regex" }],
      query: [{ name: "q", value: "1" }],
      type: oneOf(roll, ["exact", "prefix", "start", "regex"]),
    }),
    { key: "Domain/victim.example", value: { tenant: "shop", certificates: ["Certificate/shop/a"] } },
    {
      key: "VirtualService/tcp/33061",
      value: { port: 33061, protocol: "tcp", addresses: ["127.0.0.1"], pool: "Pool/shop/victim/80", enabled: true },
    },
    {
      key: "Certificate/shop/a",
      value: {
        chain: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        names: ["victim.example"],
        notAfter: "2036-11-19T10:21:40Z",
      },
    },
  ]);
}

function hostileKey(roll: Roll, words: readonly string[]): string {
  const kind = oneOf(roll, kinds);
  const count = (segmentCounts[kind] ?? 1) + (roll(6) === 0 ? 1 : 0);
  const encode = roll(4) > 0 ? encodedSegment : (text: string) => text;
  return [kind, ...Array.from({ length: count }, () => encode(oneOf(roll, words)))].join("/");
}

/** A lone surrogate can't be encoded; it goes as it is. */
function encodedSegment(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}

let sending: Promise<unknown> = Promise.resolve();

/** One after another, since each is the next revision. */
function sendPoison(roll: Roll, node: TestNode, words: readonly string[]): Promise<Answer> {
  const sent = sending.then(() => sendRevision(roll, node, words));
  sending = sent.catch(() => undefined);
  return sent;
}

/** A revision whose envelope is right, so that its values are looked at. What is refused as a whole is taken back. */
async function sendRevision(roll: Roll, node: TestNode, words: readonly string[]): Promise<Answer> {
  const { sender } = node;
  const changes = Array.from({ length: 1 + roll(3) }, (): Change => {
    const { key, value } = wholesome(roll);
    return { key: roll(10) === 0 ? hostileKey(roll, words) : key, value: poisoned(roll, value, words) };
  });
  const before = new Map(changes.map(({ key }) => [key, [sender.values.get(key) ?? null, sender.hashes.get(key)]]));
  const body = sender.changes(changes);
  const answer = await node.post(body);
  if (answer.status !== 200) {
    for (const [key, [value, hash]] of before) sender.set(key, value, typeof hash === "string" ? hash : undefined);
    sender.revision -= 1;
  }
  return answer;
}

function poisonEnvelope(roll: Roll, node: TestNode, words: readonly string[]): RequestOptions {
  const change = wholesome(roll);
  const body = {
    ...node.sender.head(),
    revision: node.sender.revision + 1,
    base: node.sender.revision,
    changes: [{ ...change, revision: 1, hash: hashOf(change.value) }],
  };
  return { method: "POST", body: JSON.stringify(poisoned(roll, body, words)) };
}

function rubbish(roll: Roll, words: readonly string[]): RequestOptions {
  const texts = [
    `{"format":1,`,
    "[".repeat(100_000),
    `{"a":`.repeat(5_000),
    "\u0000\u0001\u0002",
    `"${"x".repeat(70_000)}"`,
    '{"changes":1e999}',
    JSON.stringify(words),
    words.join("\n"),
  ];
  return { method: oneOf(roll, ["POST", "PUT", "DELETE", "PATCH", "TRACE", "UPDATE"]), body: oneOf(roll, texts) };
}

function hostileHeaders(roll: Roll, words: readonly string[]): Record<string, string> {
  const word = oneOf(roll, words).replace(/[^\x20-\x7e]/gu, "?");
  return oneOf(roll, [
    { authorization: `Bearer ${word}` },
    { authorization: `Bearer ${"x".repeat(20_000)}` },
    { "x-anything": word, cookie: `a=${word}` },
    { origin: `http://${word}` },
    { "content-type": word },
    { expect: "100-continue" },
  ]);
}

function v1Body(roll: Roll, words: readonly string[]): string {
  const upstream = { name: "x", servers: [{ addr: "10.1.2.3:80", weight: 1, state: "Active" }], protocol: "http" };
  const server = {
    name: "x",
    domain: "v1.example",
    port: 80,
    path: "/",
    protocol: oneOf(roll, ["http", "https", "tcp", "udp"]),
    toHTTPS: "false",
    cert: "",
    key: "",
    options: {},
    upstream: "x",
  };
  return JSON.stringify(poisoned(roll, oneOf<object>(roll, [upstream, server]), words));
}

/** Sends one. Where the node closes the connection without an answer the status is 0. */
export async function attackAdmin(roll: Roll, node: TestNode, words: readonly string[]): Promise<Outcome> {
  const path = encodedSegment(oneOf(roll, words));
  const send = (to: string, options: RequestOptions) => node.admin(to, options);
  const attacks: readonly (() => Promise<Answer>)[] = [
    () => sendPoison(roll, node, words),
    () => sendPoison(roll, node, words),
    () => sendPoison(roll, node, words),
    () => send("/v2/changes", poisonEnvelope(roll, node, words)),
    () => send(oneOf(roll, ["/v2/changes", "/v2/snapshot", "/v2/state", "/v1/upstreams/x"]), rubbish(roll, words)),
    () => send(`/v2/resources/${path}`, {}),
    () => send(`/v2/${path}`, { headers: hostileHeaders(roll, words) }),
    () => send("/v2/state", { headers: hostileHeaders(roll, words) }),
    () =>
      request(node.ports.admin, `/v1/${oneOf(roll, ["upstreams", "servers", path])}/${path}`, {
        method: oneOf(roll, ["POST", "UPDATE", "GET", "DELETE"]),
        body: v1Body(roll, words),
      }),
    () =>
      request(node.ports.admin, `/v1/${oneOf(roll, ["upstreams", "servers"])}/hostile-${roll(20)}`, {
        method: oneOf(roll, ["POST", "UPDATE", "GET", "DELETE"]),
        body: v1Body(roll, words),
      }),
    () => request(node.ports.health, `/${path}`, { method: oneOf(roll, ["GET", "POST", "PURGE"]) }),
  ];
  const answer = await oneOf(roll, attacks)().catch(() => undefined);
  return { status: answer?.status ?? 0, sent: `answered ${answer?.text ?? "nothing"}` };
}

/** An application that must be served through all of it. */
export function bystander(port: number): Change[] {
  return application("bystander.example", "bystander", [{ port }]);
}
