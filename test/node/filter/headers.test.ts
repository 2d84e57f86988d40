import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, slice } from "../values.ts";

let its: FilteredNode;
const plain = createServer((_, outgoing) => {
  outgoing.writeHead(
    200,
    [
      ["set-cookie", "a=1"],
      ["x-powered-by", "old"],
      ["vary", "Accept"],
      ["content-length", "2"],
    ].flat(),
  );
  outgoing.end("ok");
});

beforeAll(async () => {
  its = await startFiltered();
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  await its.node.apply([pool("plain"), slice("plain", [{ port: (plain.address() as AddressInfo).port }])]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  plain.close();
  await its[Symbol.asyncDispose]();
});

const ofRequest = (requestHeaderModifier: object) => ({ type: "RequestHeaderModifier", requestHeaderModifier });
const ofResponse = (responseHeaderModifier: object) => ({ type: "ResponseHeaderModifier", responseHeaderModifier });
const header = (name: string, value: string) => ({ name, value });

describe("of a request", () => {
  test("set, added and removed; values are data", async () => {
    const hostile = '$host "$(id)" %s ; }';
    const changes = {
      set: [header("X-Set", hostile), header("x-new", "1")],
      add: [header("X-Added", "2"), header("X-First", "3")],
      remove: ["X-Secret"],
    };
    const host = await its.route({ filters: [ofRequest(changes)] });
    const sent = { "x-set": "old", "x-added": "1", "x-secret": "s", "x-stays": "y" };
    for (const options of [{ headers: sent }, { headers: sent, method: "POST", body: "x" }]) {
      const { headers } = await its.heard(host, "/", options);
      expect(headers).toMatchObject({
        "x-set": hostile,
        "x-new": "1",
        "x-added": "1, 2",
        "x-first": "3",
        "x-stays": "y",
        host,
        "x-forwarded-for": "127.0.0.1",
      });
      expect(headers["x-secret"]).toBeUndefined();
    }
  });
});

describe("of an answer", () => {
  test("set, added and removed; not on what the node says itself", async () => {
    const changes = {
      set: [header("X-Frame-Options", "DENY"), header("Cache-Control", "no-store, private")],
      add: [header("Set-Cookie", "b=2"), header("X-New", "1")],
      remove: ["X-Powered-By"],
    };
    const filters = [ofResponse(changes)];
    const host = await its.route({ filters }, {}, "plain");
    const { headers, text } = await its.get(host);
    expect(headers).toMatchObject({
      "x-frame-options": "DENY",
      "cache-control": "no-store, private",
      "x-new": "1",
      "set-cookie": ["a=1", "b=2"],
      vary: "Accept",
    });
    expect(headers["x-powered-by"]).toBeUndefined();
    expect(text).toBe("ok");
    const nobody = await its.route({ filters }, { pools: [] });
    const own = await its.get(nobody);
    expect([own.status, own.headers["x-new"]]).toEqual([503, undefined]);
  });
});

test("of a single pool of several", async () => {
  const pools = [
    { pool: "Pool/shop/web/80", weight: 1, filters: [ofRequest({ set: [header("X-Pool", "web")] })] },
    { pool: "Pool/shop/plain/80", weight: 1, filters: [ofResponse({ set: [header("X-Pool", "plain")] })] },
  ];
  const host = await its.route({}, { pools });
  const answers = await Promise.all(Array.from({ length: 8 }, () => its.get(host)));
  const seen = answers.map(({ headers, text }) => headers["x-pool"] ?? JSON.parse(text).headers["x-pool"]);
  expect(new Set(seen)).toEqual(new Set(["plain", "web"]));
  expect(seen).not.toContain(undefined);
});

test("the client's connection is kept", async () => {
  const host = await its.route({ filters: [ofRequest({ set: [header("a", "b")] })] });
  const answer = await its.get(host, "/", { headers: { connection: "keep-alive" } });
  expect(answer.headers.connection).toBe("keep-alive");
  expect((await its.get("nowhere.example", "/", { headers: { connection: "keep-alive" } })).headers.connection).toBe(
    "keep-alive",
  );
});

test.each<[string, object, RegExp]>([
  ["nothing", ofRequest({}), /set, add or remove must name a header/],
  ["a line break in a value", ofRequest({ set: [header("a", "b\r\nEvil: 1")] }), /without control characters/],
  ["a line break in a name", ofResponse({ set: [header("a\r\nb", "c")] }), /must be a header's name/],
  ["a space in a name", ofRequest({ remove: ["a b"] }), /must be a header's name/],
  ["an empty name", ofRequest({ remove: [""] }), /must be a header's name/],
  ["Host", ofRequest({ set: [header("host", "evil.example")] }), /use URLRewrite's hostname/],
  ["hop-by-hop", ofRequest({ remove: ["Connection"] }), /belongs to the connection/],
  ["framing", ofResponse({ set: [header("Transfer-Encoding", "chunked")] }), /belongs to the connection/],
  ["a length", ofRequest({ set: [header("Content-Length", "0")] }), /belongs to the connection/],
  ["what the node says", ofRequest({ set: [header("X-Forwarded-For", "1.1.1.1")] }), /the node says it itself/],
  ["17", ofRequest({ remove: Array.from({ length: 17 }, (_, at) => `x-${at}`) }), /a list of at most 16/],
  ["5 KB", ofRequest({ set: [header("a", "x".repeat(5000))] }), /at most 4096 bytes/],
  ["a number", ofRequest({ set: [{ name: "a", value: 1 }] }), /must be a text/],
])("refuses %s", async (_, filter, reason) => {
  expect((await its.reasons({ filters: [filter] }))[0]).toMatch(reason);
});

test("a single pool has no redirects", async () => {
  const filters = [{ type: "RequestRedirect", requestRedirect: { port: 1 } }];
  const pools = [{ pool: "Pool/shop/web/80", weight: 1, filters }];
  expect((await its.reasons({}, { pools }))[0]).toMatch(/pools\[0\]: .*is no filter of a single pool/);
});
