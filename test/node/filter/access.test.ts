import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workerSeconds } from "../../bench/worker-time.ts";
import { request } from "../../harness/node.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";

let its: FilteredNode;
beforeAll(async () => {
  its = await startFiltered();
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});

const one = (type: string, settings: object) => {
  const member = type.slice(0, 1).toLowerCase() + type.slice(1);
  return { filters: [{ type, [member]: settings }] };
};

describe("source ranges", () => {
  const status = async (settings: object) => (await its.get(await its.route(one("SourceRanges", settings)))).status;

  test.each<[object, number]>([
    [{ allow: ["127.0.0.0/8"] }, 200],
    [{ allow: ["127.0.0.1"] }, 200],
    [{ allow: ["10.0.0.0/8", "127.0.0.1/32"] }, 200],
    [{ allow: ["10.0.0.0/8"] }, 403],
    [{ allow: ["2001:db8::/32"] }, 403],
    [{ allow: ["0.0.0.0/0"] }, 200],
    [{ deny: ["127.0.0.0/31"] }, 403],
    [{ deny: ["127.0.0.2/31"] }, 200],
    [{ allow: ["127.0.0.0/8"], deny: ["127.0.0.1"] }, 403],
  ])("%j: %d", async (settings, expected) => {
    expect(await status(settings)).toBe(expected);
  });

  test.each<[object, RegExp]>([
    [{}, /allow or deny must name a range/],
    [{ allow: ["10.0.0.0/33"] }, /must be an address or a range/],
    [{ allow: ["::/129"] }, /must be an address or a range/],
    [{ allow: ["localhost"] }, /must be an address or a range/],
    [{ deny: ["10.0.0.0/8; }"] }, /must be an address or a range/],
    [{ deny: [7] }, /must be an address or a range/],
  ])("refuses %j", async (settings, reason) => {
    expect((await its.reasons(one("SourceRanges", settings)))[0]).toMatch(reason);
  });
});

describe("rate limits", () => {
  const statuses = async (host: string, count: number, headers: Record<string, string> = {}) =>
    (await Promise.all(Array.from({ length: count }, () => its.get(host, "/", { headers })))).map((it) => it.status);
  const allowed = (all: readonly number[]) => all.filter((status) => status === 200).length;

  test("so many in so long, on all workers together; then again", async () => {
    const host = await its.route(one("RateLimit", { requests: 5, period: "1s" }));
    const first = await statuses(host, 20);
    expect(allowed(first)).toBeGreaterThanOrEqual(5);
    expect(allowed(first)).toBeLessThanOrEqual(6);
    expect(new Set(first)).toEqual(new Set([200, 429]));
    const refused = await its.get(host);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
    await sleep(1_100);
    expect(allowed(await statuses(host, 5))).toBe(5);
  });

  test("a burst of its own", async () => {
    const host = await its.route(one("RateLimit", { requests: 1, period: "1m", burst: 3, key: { type: "All" } }));
    expect(allowed(await statuses(host, 10))).toBe(3);
  });

  test("by a header: each value counts for itself", async () => {
    const key = { type: "Header", name: "X-Key" };
    const host = await its.route(one("RateLimit", { requests: 2, period: "1m", key }));
    expect(allowed(await statuses(host, 5, { "x-key": "a" }))).toBe(2);
    expect(allowed(await statuses(host, 5, { "x-key": "b".repeat(10_000) }))).toBe(2);
    expect(allowed(await statuses(host, 5))).toBe(2);
  });

  test("every rule counts for itself, and a change of another does not begin anew", async () => {
    const limit = one("RateLimit", { requests: 2, period: "1h" });
    const [a, b] = [await its.route(limit), await its.route(limit)];
    expect([allowed(await statuses(a, 4)), allowed(await statuses(b, 4))]).toEqual([2, 2]);
    await its.route({});
    expect(allowed(await statuses(a, 4))).toBe(0);
  });

  test("a hundred thousand clients leave the memory bounded", async () => {
    const key = { type: "Header", name: "X-Key" };
    const host = await its.route(one("RateLimit", { requests: 1, period: "1h", key }));
    for (let at = 0; at < 300; at += 1) {
      await its.get(host, "/", { headers: { "x-key": `${at}${"k".repeat(1000)}` } });
    }
    expect(allowed(await statuses(host, 3, { "x-key": "new" }))).toBe(1);
  });

  test.each<[object, RegExp]>([
    [{}, /requests must be a whole number/],
    [{ requests: 0 }, /requests must be a whole number from 1/],
    [{ requests: 1, period: "0s" }, /period must be longer than 0/],
    [{ requests: 1, period: "2h" }, /period must be a duration .* at most 3600s/],
    [{ requests: 1, burst: 0 }, /burst must be/],
    [{ requests: 1, key: { type: "Moon" } }, /key.type must be one of/],
    [{ requests: 1, key: { type: "Header", name: "a b" } }, /key.name must be a header's name/],
  ])("refuses %j", async (settings, reason) => {
    expect((await its.reasons(one("RateLimit", settings)))[0]).toMatch(reason);
  });
});

describe("body limits", () => {
  const post = async (host: string, body: string, headers: Record<string, string> = {}) =>
    (await its.get(host, "/", { method: "POST", body, headers })).status;

  test("by the length that is told; one that is not told is asked for", async () => {
    const host = await its.route(one("BodyLimit", { maxBytes: 1000 }));
    expect(await post(host, "x".repeat(1000))).toBe(200);
    expect(await post(host, "x".repeat(1001))).toBe(413);
    expect((await its.get(host)).status).toBe(200);
    expect((await its.get(host, "/", { method: "GET", body: "x".repeat(1001) })).status).toBe(413);
    const chunked = await request(its.node.ports.http, "/", {
      method: "PUT",
      headers: { host, "transfer-encoding": "chunked" },
    });
    expect(chunked.status).toBe(411);
  });

  test("what is refused is thrown away, and nothing of it is read as the next request", async () => {
    const host = await its.route(one("BodyLimit", { maxBytes: 10 }));
    const hidden = `GET /hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const before = its.backend.requests();
    const text = await new Promise<string>((resolve) => {
      let all = "";
      const socket = connect(its.node.ports.http, "127.0.0.1", () => {
        const first = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
        socket.write(`${first}GET /second HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      });
      socket.on("data", (chunk) => {
        all += String(chunk);
      });
      socket.on("close", () => resolve(all));
    });
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
    expect(text).not.toContain("/hidden");
    expect(its.backend.requests() - before).toBe(1);
  });

  test.each([{}, { maxBytes: -1 }, { maxBytes: "1m" }, { maxBytes: 1.5 }])("refuses %j", async (settings) => {
    expect((await its.reasons(one("BodyLimit", settings)))[0]).toMatch(/maxBytes must be a whole number/);
  });
});

describe("basic authentication", () => {
  // openssl passwd -6 and -5, of "sésame: open" and "b".
  const users = [
    {
      name: "ann",
      hash: "$6$abcdefgh$XZy9BEa949jmS4KgjOwIS1vIZjas2PBLcrwYVa.sVSQ3v6hDbyPTQF92Fvdb.e1Zw7APdvDiLbl1X3AqHmvzj1",
    },
    { name: "bob", hash: "$5$abcdefgh$SMPlRZIArBHSlyoqKadbeGqk8etkGO.rq2Hjo1xt7uD" },
    // htpasswd -nbB eve eve
    { name: "eve", hash: "$2y$05$abcdefghijklmnopqrstuuJL1Kgn5tFAm3tORjXTv52K8w.0x/M0e" },
  ];
  // bcrypt of "dear" with the highest cost that is taken.
  const dear = { name: "dan", hash: "$2y$10$abcdefghijklmnopqrstuuKYsNjQ5ZhxxlIbwAgtNUotzlWXRbbd." };
  const as = (host: string, text: string) =>
    its.get(host, "/", { headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` } });

  test("names and passwords", async () => {
    const host = await its.route(one("BasicAuth", { realm: "shop", users }));
    const none = await its.get(host);
    expect([none.status, none.headers["www-authenticate"]]).toEqual([401, 'Basic realm="shop", charset="UTF-8"']);
    for (const [text, status] of [
      ["ann:sésame: open", 200],
      ["bob:b", 200],
      ["ann:b", 401],
      ["bob:", 401],
      ["eve:eve", 200],
      ["eve:wrong", 401],
      ["nobody:b", 401],
      ["ann", 401],
      [":", 401],
      ["bob:b\0", 401],
      [`bob:${"b".repeat(5000)}`, 401],
    ] as const) {
      expect([text, (await as(host, text)).status]).toEqual([text, status]);
    }
    for (const authorization of ["Basic", "Basic %%%", "Bearer x", `Basic ${"A".repeat(20_000)}`]) {
      expect((await its.get(host, "/", { headers: { authorization } })).status).toBe(401);
    }
  });

  test("guessing is slowed down, and who is known notices nothing", async () => {
    const host = await its.route(one("BasicAuth", { users: [...users, dear] }));
    for (let time = 0; time < 6; time += 1) expect((await as(host, "bob:b")).status).toBe(200);
    const guesses = await Promise.all(Array.from({ length: 60 }, (_, at) => as(host, `dan:guess${at}`)));
    expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const [tooMany] = guesses.filter(({ status }) => status === 429);
    expect(Number(tooMany?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const known = await Promise.all(Array.from({ length: 10 }, () => as(host, "bob:b")));
    expect(known.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  test("guessing takes a fifth of a worker's time, however dear the hash is", async () => {
    await using alone = await startFiltered({ workers: 1 });
    const host = await alone.route(one("BasicAuth", { users: [dear] }));
    const guess = (text: string) =>
      alone.get(host, "/", { headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` } });
    expect((await guess("dan:dear")).status).toBe(200);
    const [before, began] = [workerSeconds(alone.node.masterPid), Date.now()];
    const rounds = Array.from({ length: 40 }, async (_, round) => {
      await sleep(round * 100);
      return Promise.all(Array.from({ length: 5 }, (_, number) => guess(`dan:guess${round * 5 + number}`)));
    });
    const statuses = (await Promise.all(rounds)).flat().map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    const seconds = (Date.now() - began) / 1000;
    // What may be spent at once comes on top, and what requests take.
    expect(workerSeconds(alone.node.masterPid) - before).toBeLessThan(seconds * 0.2 + 0.2 + 0.5);
  });

  test("neither resources nor state nor logs show a hash, a rejected one neither", async () => {
    const good = await its.route(one("BasicAuth", { users }));
    const reasons = await its.apply("bad.example", one("BasicAuth", { users: [{ name: "x", hash: 'pla"in' }] }));
    expect(reasons[0]).toMatch(/users\[0\]: hash must be one of crypt\(3\)/);
    const texts = await Promise.all([
      ...[good, "bad.example"].map((host) => its.node.admin(`/v2/resources/Rule/${host}/Ingress/shop/web/0`)),
      its.node.admin("/v2/state"),
    ]);
    expect(texts[0]?.text).toContain('"hash":"[redacted]"');
    expect(texts[1]?.text).toContain('"hash":"[redacted]"');
    for (const text of [...texts.map((it) => it.text), its.node.log(), ...reasons]) {
      expect(text).not.toMatch(/\$[256y]{1,2}\$[a0]|pla.?"in|sésame/);
    }
  });

  test.each<[object, RegExp]>([
    [{}, /users must be a list/],
    [{ users: [] }, /users must name somebody/],
    [{ users: [{ name: "a:b", hash: "x" }] }, /have no colon/],
    [{ users: [{ name: "a", hash: "plain" }] }, /hash must be one of crypt/],
    [{ users: [{ name: "a", hash: `$2y$14$${"a".repeat(53)}` }] }, /a cost of at most 10/],
    [{ users: [{ name: "a", hash: `$5$rounds=999999$abc$${"a".repeat(43)}` }] }, /at most 20000 rounds/],
    [
      { realm: 'a"b', users: [{ name: "a", hash: "$5$abcdefgh$SMPlRZIArBHSlyoqKadbeGqk8etkGO.rq2Hjo1xt7uD" }] },
      /realm must have no quotes/,
    ],
  ])("refuses %j", async (settings, reason) => {
    expect((await its.reasons(one("BasicAuth", settings)))[0]).toMatch(reason);
  });
});
