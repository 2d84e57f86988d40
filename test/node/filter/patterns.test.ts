import { afterAll, beforeAll, expect, test } from "vitest";
import { workerSeconds } from "../../bench/worker-time.ts";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, type RuleParts, rule, slice } from "../values.ts";

let its: FilteredNode;
let other: Backend;
beforeAll(async () => {
  its = await startFiltered();
  other = await startBackend("other");
  await its.node.apply([pool("other"), slice("other", [{ port: other.port }])]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await other.close();
  await its[Symbol.asyncDispose]();
});

async function who(host: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, text } = await its.get(host, path, { headers });
  return status === 200 ? (JSON.parse(text) as Echo).name : String(status);
}

const regex = (path: string): RuleParts => ({ type: "regex", path });

test("a path: from its beginning; behind exact ones, before prefixes", async () => {
  await its.node.apply([
    rule("paths.example", "web", { number: 0, path: "/" }),
    rule("paths.example", "other", { number: 1, ...regex("/item/\\d+") }),
    rule("paths.example", "web", { number: 2, type: "exact", path: "/item/7" }),
  ]);
  for (const [path, expected] of [
    ["/item/1", "other"],
    ["/item/1/more", "other"],
    ["/item/7", "web"],
    ["/item/x", "web"],
    ["/a/item/1", "web"],
  ] as const) {
    expect([path, await who("paths.example", path)]).toEqual([path, expected]);
  }
});

test("alone on a host, also one that is a slash", async () => {
  const host = await its.route({}, regex("/"));
  expect([await who(host, "/"), await who(host, "/x")]).toEqual(["web", "web"]);
  const upper = await its.route({}, regex("/(?i)abc$"));
  expect([await who(upper, "/ABC"), await who(upper, "/ABCD")]).toEqual(["web", "404"]);
});

test("headers and query parameters: the whole value", async () => {
  const headers = [{ name: "X-Version", type: "regex", value: "v[12]" }];
  const query = [{ name: "id", type: "regex", value: "\\d+" }];
  const host = await its.route({}, { headers, query });
  expect(await who(host, "/?id=12", { "x-version": "v1" })).toBe("web");
  expect(await who(host, "/?id=12", { "x-version": "v10" })).toBe("404");
  expect(await who(host, "/?id=12", { "x-version": "xv1" })).toBe("404");
  expect(await who(host, "/?id=12%0a", { "x-version": "v1" })).toBe("404");
  expect(await who(host, "/", { "x-version": "v1" })).toBe("404");
  expect(await who(host, "/?id", { "x-version": "v1" })).toBe("404");
});

test("one that would take for ever takes no time, matches nothing and harms nobody", async () => {
  const host = await its.route({}, regex("/(a+)+$"));
  const began = Date.now();
  expect(await who(host, `/${"a".repeat(2000)}b`)).toBe("404");
  expect(Date.now() - began).toBeLessThan(300);
  expect(await who(host, "/aaaa")).toBe("web");
});

test.each<[string, RuleParts, RegExp]>([
  ["what does not compile", regex("/(a"), /no regular expression: .*missing \)/],
  ["what breaks out of its group", regex("/a)|(/b"), /no regular expression/],
  ["too long a one", regex(`/${"a".repeat(600)}`), /at most 512 characters/],
  ["an empty one", regex(""), /must be a regular expression/],
  ["a line break", regex("/a\nb"), /must be a regular expression/],
  ["a header's", { headers: [{ name: "a", type: "regex", value: "(" } as never] }, /headers\[0\]: value is no regular/],
  ["another type", { query: [{ name: "a", type: "glob", value: "x" } as never] }, /query\[0\]: type must be one of/],
])("refuses %s", async (_, parts, reason) => {
  expect((await its.reasons({}, parts))[0]).toMatch(reason);
});

test("a thousand different ones, one after another", async () => {
  for (let at = 0; at < 40; at += 1) {
    const rules = Array.from({ length: 25 }, (_, place) =>
      rule("many.example", "web", { number: place, ...regex(`/n${at}-${place}x?$`) }),
    );
    await its.node.apply(rules);
    expect(await who("many.example", `/n${at}-3`)).toBe("web");
    expect(await who("many.example", `/n${at - 1}-3`)).toBe("404");
  }
}, 60_000);

test("two thousand of one host are compiled once, and not at each request", async () => {
  await using alone = await startFiltered({ workers: 1 });
  const rules = Array.from({ length: 2000 }, (_, place) =>
    rule("all.example", "web", {
      number: place,
      ...regex(`/(n|m)${place}/(users|groups)/[0-9]+/(orders|items)(/.*)?$`),
    }),
  );
  await alone.node.apply(rules);
  // The shorter ones come last.
  const last = () => alone.get("all.example", "/n9/users/12/orders");
  expect((await last()).status).toBe(200);
  const before = workerSeconds(alone.node.masterPid);
  for (let time = 0; time < 50; time += 1) await last();
  // Compiled each time it would be more than two.
  expect(workerSeconds(alone.node.masterPid) - before).toBeLessThan(1);
}, 60_000);
