// The admin API v2: what it takes, what it refuses and in which words, and that a refusal changes nothing.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { digestOf, hashOf, KEY, request, Sender, startNode, type TestNode } from "../harness/node.ts";
import { application, pool, rule, slice } from "./values.ts";

const SECOND_KEY = "another-key-that-is-valid";
const ZEROS = "0".repeat(40);

let node: TestNode;
let backend: Backend;

beforeAll(async () => {
  backend = await startBackend("web");
  node = await startNode({ keys: [KEY, SECOND_KEY] });
  await node.apply(application("www.shop.example", "web", [{ port: backend.port }]));
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
});

/** An envelope that would be accepted, with fields replaced. */
function envelope(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { store, epoch, revision } = node.sender;
  const digest = digestOf(node.sender.hashes);
  return { format: 1, store, epoch, revision: revision + 1, base: revision, digest, changes: [], ...more };
}

function change(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const value = { protocol: "http", balance: "round-robin" };
  return { key: "Pool/shop/other/80", revision: node.sender.revision + 1, hash: hashOf(value), value, ...more };
}

describe("who may use it", () => {
  test.each([
    ["no key", {}],
    ["a wrong key", { authorization: "Bearer wrong" }],
    ["an empty key", { authorization: "Bearer " }],
    ["a key without its scheme", { authorization: KEY }],
    ["half a key", { authorization: `Bearer ${KEY.slice(0, 9)}` }],
  ])("%s is 401", async (_, headers) => {
    for (const [method, path] of [
      ["GET", "/v2/state"],
      ["POST", "/v2/changes"],
      ["PUT", "/v2/snapshot"],
      ["GET", "/v2/resources/Pool/shop/web/80"],
      ["GET", "/v2/nothing"],
    ] as const) {
      expect((await request(node.ports.admin, path, { method, headers })).status).toBe(401);
    }
  });

  test("either of two keys is right", async () => {
    for (const key of [KEY, SECOND_KEY]) {
      const answer = await request(node.ports.admin, "/v2/state", { headers: { authorization: `Bearer ${key}` } });
      expect(answer.status).toBe(200);
    }
  });

  test("a web page is refused, with a key too", async () => {
    expect((await node.admin("/v2/state", { headers: { origin: "http://evil.example" } })).status).toBe(403);
  });

  test("readiness and health need no key", async () => {
    expect((await request(node.ports.health, "/ready")).status).toBe(200);
    expect((await request(node.ports.health, "/health")).status).toBe(200);
    expect((await request(node.ports.health, "/ready", { method: "POST" })).status).toBe(405);
    expect((await request(node.ports.health, "/v2/state")).status).toBe(404);
  });
});

describe("methods and paths", () => {
  test.each([
    ["GET", "/v2/changes", "POST"],
    ["PUT", "/v2/changes", "POST"],
    ["POST", "/v2/snapshot", "PUT"],
    ["DELETE", "/v2/state", "GET"],
    ["PATCH", "/v2/resources/Pool/shop/web/80", "GET"],
  ])("%s %s is 405 and %s is allowed", async (method, path, allow) => {
    const answer = await node.admin(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe(allow);
  });

  test.each(["/v2/", "/v2/changes/", "/v2/other", "/v2/resources/", "/v2/resources/Pool/shop/none/80", "/"])(
    "%s is 404",
    async (path) => {
      expect((await node.admin(path)).status).toBe(404);
    },
  );
});

describe("envelopes that can't be used are 400 with a sentence", () => {
  test.each<[string, string | (() => Record<string, unknown>), RegExp]>([
    ["nothing", "", /one JSON object/],
    ["no JSON", "{", /one JSON object/],
    ["something after the JSON", "{} {}", /one JSON object/],
    ["a list", "[]", /one JSON object/],
    ["a field twice", '{"format":1,"format":1}', /one JSON object/],
    ["an unknown field", () => envelope({ surprise: 1 }), /unknown field "surprise"/],
    ["another format", () => envelope({ format: 2 }), /format must be 1/],
    ["a store with a space", () => envelope({ store: "a b" }), /store must be/],
    ["no store", () => envelope({ store: undefined }), /store must be/],
    ["an epoch that is a text", () => envelope({ epoch: "1" }), /epoch must be/],
    ["a revision below zero", () => envelope({ revision: -1 }), /revision must be/],
    ["a revision and a half", () => envelope({ revision: 1.5 }), /revision must be/],
    ["a revision without end", () => envelope({ revision: 1e15 }), /revision must be/],
    ["a base after the revision", () => envelope({ base: 99, revision: 98 }), /base must not be greater/],
    ["a short digest", () => envelope({ digest: "00" }), /digest must be/],
    ["no changes", () => envelope({ changes: undefined }), /changes must be a list/],
    ["changes that are an object", () => envelope({ changes: {} }), /changes must be a list/],
    ["a change that is a number", () => envelope({ changes: [1] }), /changes\[0\]: not a JSON object/],
    ["a change with an unknown field", () => envelope({ changes: [change({ more: 1 })] }), /unknown field "more"/],
    ["a change without a value", () => envelope({ changes: [change({ value: undefined })] }), /value is missing/],
    ["a change without a hash", () => envelope({ changes: [change({ hash: undefined })] }), /hash must be/],
    ["a change of the future", () => envelope({ changes: [change({ revision: 9999 })] }), /revision must not be/],
    ["a key with quotes", () => envelope({ changes: [change({ key: 'Pool/shop/"web"/80' })] }), /key must be/],
    ["a key with spaces", () => envelope({ changes: [change({ key: "Pool/shop/we b/80" })] }), /key must be/],
    ["a key with ..", () => envelope({ changes: [change({ key: "Pool/../web/80" })] }), /key must be/],
    ["a key with an encoded ../", () => envelope({ changes: [change({ key: "Pool/..%2F/web/80" })] }), /key must be/],
    ["a key with a newline", () => envelope({ changes: [change({ key: "Pool/shop\n/web/80" })] }), /key must be/],
    ["a key with %0A", () => envelope({ changes: [change({ key: "Pool/shop%0A/web/80" })] }), /key must be/],
    ["a key with %00", () => envelope({ changes: [change({ key: "Pool/shop/web%00/80" })] }), /key must be/],
    ["a key with }", () => envelope({ changes: [change({ key: "Pool/shop/web;}/80" })] }), /key must be/],
    ["a key of 1,025 bytes", () => envelope({ changes: [change({ key: `Pool/${"x".repeat(1020)}` })] }), /key must be/],
    ["a key without a kind", () => envelope({ changes: [change({ key: "shop" })] }), /key must be/],
    ["a key that is null", () => envelope({ changes: [change({ key: null })] }), /key must be/],
  ])("%s", async (_, body, sentence) => {
    const before = await node.state();
    const text = typeof body === "string" ? body : JSON.stringify(body());
    const answer = await node.admin("/v2/changes", { method: "POST", body: text });
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.text) as { message: string }).message).toMatch(sentence);
    const { revision, digest, counts } = await node.state();
    expect({ revision, digest, counts }).toEqual({
      revision: before.revision,
      digest: before.digest,
      counts: before.counts,
    });
    expect((await node.get("www.shop.example")).status).toBe(200);
  });

  test("a value that is broken JSON, within a good envelope", async () => {
    const body = JSON.stringify(envelope({ changes: [change({ value: "PLACE" })] })).replace('"PLACE"', '{"a":}');
    expect((await node.admin("/v2/changes", { method: "POST", body })).status).toBe(400);
  });
});

describe("too much", () => {
  test("20 MB of changes is 413, unread", async () => {
    const answer = await node.admin("/v2/changes", { method: "POST", body: Buffer.alloc(20_000_000, "x") });
    expect(answer.status).toBe(413);
    expect((await node.get("www.shop.example")).status).toBe(200);
  });

  test("20 MB in chunks, without their sum in front, is 413", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${KEY}`, "transfer-encoding": "chunked" };
      const target = { host: "127.0.0.1", port: node.ports.admin, path: "/v2/changes", method: "POST", headers };
      const outgoing = httpRequest(target, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      });
      outgoing.on("error", reject);
      for (let megabyte = 0; megabyte < 20; megabyte++) outgoing.write(Buffer.alloc(1_000_000, "x"));
      outgoing.end();
    });
    expect(status).toBe(413);
  });

  test("50,001 changes are 413", async () => {
    const changes = Array.from({ length: 50_001 }, () => ({ key: "Pool/a/b/1", revision: 1, value: null }));
    expect((await node.post(envelope({ changes }))).status).toBe(413);
  });

  test("none of this is an error of the node's", () => {
    expect(node.log()).not.toMatch(/\[(error|crit|alert|emerg)\]/);
  });
});

describe("values that can't be used are rejected, the rest goes live", () => {
  const member = { address: "10.0.0.1", port: 80, weight: 1, state: "active", ready: true };
  const good = rule("bad.example", "web").value as Record<string, unknown>;
  test.each<[string, string, unknown, RegExp]>([
    ["a port of 99999", "Node/shop/bad/80/a", { members: [{ ...member, port: 99_999 }] }, /port must be/],
    ["a port of 0", "Node/shop/bad/80/a", { members: [{ ...member, port: 0 }] }, /port must be/],
    ["a port as text", "Node/shop/bad/80/a", { members: [{ ...member, port: "80" }] }, /port must be/],
    ["a name for an address", "Node/shop/bad/80/a", { members: [{ ...member, address: "web" }] }, /address must be/],
    ["an address with more", "Node/shop/bad/80/a", { members: [{ ...member, address: "10.0.0.1;}" }] }, /address/],
    ["a weight below zero", "Node/shop/bad/80/a", { members: [{ ...member, weight: -1 }] }, /weight must be/],
    ["an unknown state", "Node/shop/bad/80/a", { members: [{ ...member, state: "gone" }] }, /state must be one of/],
    ["ready as text", "Node/shop/bad/80/a", { members: [{ ...member, ready: "yes" }] }, /ready must be/],
    ["members as an object", "Node/shop/bad/80/a", { members: { a: 1 } }, /members must be a list/],
    ["a member that is a list", "Node/shop/bad/80/a", { members: [[1]] }, /must be an object/],
    ["an unknown protocol", "Pool/shop/bad/80", { protocol: "gopher" }, /protocol must be one of/],
    ["TLS by chance", "Pool/shop/bad/80", { protocol: "https", tls: {} }, /tls.verify must be true or false/],
    ["an unknown balance", "Pool/shop/bad/80", { protocol: "http", balance: "random" }, /balance must be/],
    ["an unknown fallback", "Pool/shop/bad/80", { protocol: "http", fallback: "x" }, /fallback must be/],
    ["a value that is a text", "Pool/shop/bad/80", "http", /must be a JSON object/],
    ["a value that is a list", "Pool/shop/bad/80", [], /must be a JSON object/],
    ["a domain with a space", "Domain/bad%20name.example", { tenant: "shop", certificates: [] }, /a domain is/],
    ["a domain in upper case", "Domain/BAD.example", { tenant: "shop", certificates: [] }, /a domain is/],
    ["no certificate's key", "Domain/bad.example", { tenant: "shop", certificates: ["Pool/shop/a/80"] }, /Certificate/],
    ["no pool's key", "Domain/bad.example", { tenant: "shop", passthrough: "shop" }, /passthrough must be the key/],
    ["a tcp port", "VirtualService/tcp/3306", { port: 3306, protocol: "tcp", addresses: [] }, /key of a Pool/],
    ["a certificate", "Certificate/shop/tls", { chain: "-", key: "SECRET", names: [] }, /notAfter must be/],
    ["a rule of another domain", "Rule/bad.example/Ingress/shop/web/0", { ...good, domain: "c.example" }, /key names/],
    ["a rule of another owner", "Rule/bad.example/Ingress/shop/else/0", good, /owner must be/],
    [
      "a filter",
      "Rule/bad.example/Ingress/shop/web/0",
      { ...good, filters: [{ type: "Cors" }] },
      /filter Cors is not known/,
    ],
    [
      "a regular expression",
      "Rule/bad.example/Ingress/shop/web/0",
      { ...good, matches: { path: { type: "regex", value: "/(" } } },
      /matches\.path\.value is no regular expression: .*missing \)/,
    ],
    [
      "a path without /",
      "Rule/bad.example/Ingress/shop/web/0",
      { ...good, matches: { path: { type: "exact", value: "x" } } },
      /must begin with/,
    ],
    [
      "a pool that is none",
      "Rule/bad.example/Ingress/shop/web/0",
      { ...good, pools: [{ pool: "x" }] },
      /key of a Pool/,
    ],
    ["an unknown kind", "Gateway/shop/a", {}, /knows no resources of kind Gateway/],
    ["too few segments", "Pool/shop", { protocol: "http" }, /has 3 segments/],
    ["300 KB", "Pool/shop/bad/80", { protocol: "http", alias: "x".repeat(300_000) }, /more than 262144/],
  ])("%s", async (_, key, value, reason) => {
    const rejected = await node.apply([{ key, value }, pool("beside", { alias: `${Math.random()}` })]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]?.key).toBe(key);
    expect(rejected[0]?.reason).toMatch(reason);
    const state = await node.state();
    expect(state.digest).toBe(digestOf(node.sender.hashes));
    expect(state.rejected).toEqual(rejected);
    expect(state.rejectedCount).toBe(1);
    const held = JSON.parse((await node.admin(`/v2/resources/${key}`)).text) as Record<string, unknown>;
    expect(held["hash"]).toBe(hashOf(value));
    expect(held["rejected"]).toBe(rejected[0]?.reason);
    expect(JSON.stringify(held)).not.toContain("SECRET");
    await node.apply([{ key, value: null }]);
    expect((await node.state()).rejectedCount).toBe(0);
    expect((await node.get("www.shop.example")).status).toBe(200);
  });

  test("the last usable value goes on serving, over a restart too, until a usable one comes", async () => {
    await node.apply(application("kept.example", "kept", [{ port: backend.port }]));
    const broken = { members: [{ address: "nowhere", port: 1 }] };
    const rejected = await node.apply([{ key: "Node/shop/kept/80/kept-a", value: broken }]);
    expect(rejected).toHaveLength(1);
    expect((await node.get("kept.example")).status).toBe(200);
    await node.restart();
    expect((await node.get("kept.example")).status).toBe(200);
    expect((await node.state()).rejected).toEqual(rejected);
    await node.apply([slice("kept", [])]);
    expect((await node.get("kept.example")).status).toBe(503);
    expect((await node.state()).rejectedCount).toBe(0);
  });

  test("unknown fields in a value are left alone, and the value is given back as it came", async () => {
    const value = { protocol: "http", balance: "round-robin", later: { list: [], object: {} } };
    expect(await node.apply([{ key: "Pool/shop/extra/80", value }])).toEqual([]);
    const held = (await node.admin("/v2/resources/Pool/shop/extra/80")).text;
    expect((JSON.parse(held) as { value: unknown }).value).toEqual(value);
  });
});

describe("order", () => {
  const conflict = async (more: Readonly<Record<string, unknown>>) => {
    const answer = await node.post(envelope(more));
    const { reason, ...rest } = JSON.parse(answer.text) as Record<string, unknown>;
    const { store, epoch, revision, digest } = await node.state();
    if (answer.status === 409) expect(rest).toEqual({ store, epoch, revision, digest });
    return `${answer.status} ${reason}`;
  };

  test("reasons, and which of several goes first", async () => {
    await node.apply([pool("order-1")]);
    await node.apply([pool("order-2")]);
    const { revision } = node.sender;
    expect(await conflict({ store: "other", epoch: 9, revision: 0, base: 0 })).toBe("409 store");
    expect(await conflict({ epoch: 0, revision: 0, base: 0 })).toBe("409 epoch");
    expect(await conflict({ epoch: 2 })).toBe("409 epoch");
    expect(await conflict({ revision: revision - 1, base: 0 })).toBe("409 older");
    expect(await conflict({ revision: revision + 2, base: revision + 1 })).toBe("409 base");
    expect(await conflict({ digest: ZEROS })).toBe("409 digest");
    expect(await conflict({ revision, digest: ZEROS, base: 0 })).toBe("409 digest");
    expect(await conflict({ revision })).toBe("200 undefined");
  });

  test("an overlap is harmless", async () => {
    const base = node.sender.revision - 2;
    const body = node.sender.changes([pool("order-1"), pool("order-2"), pool("order-3")], base);
    expect((await node.post(body)).status).toBe(200);
    expect((await node.post(body)).status).toBe(200);
    expect((await node.state()).revision).toBe(node.sender.revision);
  });

  test("a wrong digest leaves nothing behind", async () => {
    const before = await node.state();
    const answer = await node.post(envelope({ changes: [change({ key: "Pool/shop/ghost/80" })] }));
    expect(JSON.parse(answer.text)).toMatchObject({ reason: "digest" });
    expect((await node.admin("/v2/resources/Pool/shop/ghost/80")).status).toBe(404);
    expect((await node.state()).counts).toEqual(before.counts);
  });
});

describe("snapshots", () => {
  test("a fresh node is not ready, takes one, and is", async () => {
    await using fresh = await startNode();
    expect(await fresh.isReady()).toBe(false);
    const { store, revision, digest } = await fresh.state();
    expect({ store, revision, digest }).toEqual({ store: "", revision: 0, digest: ZEROS });
    const sender = new Sender("s", 3);
    sender.changes(application("a.example", "web", [{ port: backend.port }]));
    const answer = await fresh.put(sender.snapshot());
    expect(JSON.parse(answer.text)).toMatchObject({ store: "s", epoch: 3, revision: 1, rejected: [] });
    expect(await fresh.isReady()).toBe(true);
    expect((await fresh.get("a.example")).status).toBe(200);
  });

  test("a fresh node takes changes from 0 on, and none from later", async () => {
    await using fresh = await startNode();
    const sender = new Sender("s", 3);
    sender.revision = 6;
    expect(JSON.parse((await fresh.post(sender.changes([pool("a")]))).text)).toMatchObject({ reason: "base" });
    expect((await fresh.post(sender.changes([pool("a")], 0))).status).toBe(200);
  });

  test("what it leaves out goes, what stays is not touched, and all of it survives a restart", async () => {
    await using fresh = await startNode();
    const sender = new Sender();
    sender.changes([
      ...application("a.example", "a", [{ port: backend.port }]),
      ...application("b.example", "b", [{ port: backend.port }]),
    ]);
    expect((await fresh.put(sender.snapshot())).status).toBe(200);
    sender.changes(application("b.example", "b", []).map(({ key }) => ({ key, value: null })));
    expect((await fresh.put(sender.snapshot())).status).toBe(200);
    for (const round of ["before", "after"]) {
      expect([round, (await fresh.get("a.example")).status]).toEqual([round, 200]);
      expect([round, (await fresh.get("b.example")).status]).toEqual([round, 404]);
      expect((await fresh.state()).digest).toBe(digestOf(sender.hashes));
      expect((await fresh.state()).counts).toEqual({ Node: 1, Pool: 1, Rule: 1 });
      await fresh.restart();
    }
  });

  test("whose, and which", async () => {
    await using fresh = await startNode();
    const put = async (sender: Sender, more: Readonly<Record<string, unknown>> = {}) => {
      const answer = await fresh.put(sender.snapshot(more));
      const { reason } = JSON.parse(answer.text) as { reason?: string };
      return reason ?? answer.status;
    };
    const [first, second, higher] = [new Sender("one", 2), new Sender("two", 1), new Sender("one", 3)];
    for (const sender of [first, second, higher]) sender.changes([pool(sender.store)]);
    first.revision = 10;
    expect(await put(first)).toBe(200);
    expect(await put(second)).toBe("store");
    expect(await put(second, { replaces: "three" })).toBe("store");
    first.revision = 9;
    expect(await put(first)).toBe("older");
    expect(await put(new Sender("one", 1))).toBe("epoch");
    expect(await put(higher)).toBe(200);
    expect(await put(second, { replaces: "one" })).toBe(200);
    expect(await fresh.state()).toMatchObject({ store: "two", epoch: 1, revision: 1 });
    // The same revision with another content: only a snapshot may correct a node.
    const corrected = new Sender("two", 1);
    corrected.changes([pool("corrected")]);
    expect(await put(corrected)).toBe(200);
  });

  test.each<[string, (whole: string) => string, RegExp]>([
    ["no header", () => "", /first line must be/],
    ["too few lines", (whole) => whole.split("\n").slice(0, -2).join("\n"), /but 2 lines follow/],
    ["too many lines", (whole) => `${whole}${whole.split("\n")[1]?.replace("Pool/", "Pool/x")}\n`, /line 5|count is/],
    ["a key twice", (whole) => `${whole}${whole.split("\n")[1]}\n`, /the key came before/],
    ["an unknown field", (whole) => whole.replace('"count"', '"extra":1,"count"'), /unknown field/],
    ["a line cut short", (whole) => whole.slice(0, -20), /line 4: not a JSON object/],
    ["a removal", (whole) => whole.replace(/"value":.*\}/, '"value":null}'), /removes by leaving out/],
    ["the changes' shape", () => JSON.stringify(new Sender().changes([])), /unknown field/],
  ])("%s: 400, nothing changes", async (_, spoil, sentence) => {
    const before = await node.state();
    const sender = new Sender(node.sender.store, node.sender.epoch + 1);
    sender.changes(application("spoilt.example", "spoilt", [{ port: 1 }]));
    const answer = await node.put(spoil(sender.snapshot()));
    expect(answer.text).toMatch(sentence);
    expect(answer.status).toBe(400);
    expect(await node.state()).toMatchObject({ revision: before.revision, digest: before.digest });
    expect((await node.get("spoilt.example")).status).toBe(404);
  });

  test("a digest that is not the content's: 409, nothing changes", async () => {
    const before = await node.state();
    const sender = new Sender(node.sender.store, node.sender.epoch + 1);
    sender.changes([pool("a")]);
    const answer = await node.put(sender.snapshot({ digest: ZEROS }));
    expect(JSON.parse(answer.text)).toMatchObject({ reason: "digest", revision: before.revision });
    expect((await node.get("www.shop.example")).status).toBe(200);
  });
});

describe("state", () => {
  test("names every worker with its process and what it has applied", async () => {
    const { workers, pid } = await node.state();
    expect(workers).toHaveLength(2);
    expect(new Set(workers.map((worker) => worker.pid)).size).toBe(2);
    expect(workers.map((worker) => worker.pid)).toContain(pid);
    await expect
      .poll(async () => (await node.state()).workers.map((worker) => worker.revision), { timeout: 5000 })
      .toEqual([node.sender.revision, node.sender.revision]);
  });

  test("the sum over nothing is zeros", async () => {
    await using fresh = await startNode();
    await fresh.apply([pool("a")]);
    await fresh.apply([{ key: "Pool/shop/a/80", value: null }]);
    expect((await fresh.state()).digest).toBe(ZEROS);
    expect(await fresh.isReady()).toBe(true);
  });
});
