import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import type { RuleParts } from "../values.ts";

let its: FilteredNode;
beforeAll(async () => {
  its = await startFiltered();
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});

const redirect = (requestRedirect: object) => ({ filters: [{ type: "RequestRedirect", requestRedirect }] });
const rewrite = (urlRewrite: object) => ({ filters: [{ type: "URLRewrite", urlRewrite }] });
const full = (replaceFullPath: string) => ({ path: { type: "ReplaceFullPath", replaceFullPath } });
const prefix = (replacePrefixMatch: string) => ({ path: { type: "ReplacePrefixMatch", replacePrefixMatch } });
const regex = (replaceRegexMatch: string) => ({ path: { type: "ReplaceRegexMatch", replaceRegexMatch } });

describe("redirects", () => {
  test.each<[string, object, RuleParts, string, string]>([
    ["to another host", { hostname: "new.example" }, {}, "/a%20b?q=1", "http://new.example/a%20b?q=1"],
    ["to a port", { hostname: "new.example", port: 8080 }, {}, "/", "http://new.example:8080/"],
    ["to the port that http has anyway", { hostname: "new.example", port: 80 }, {}, "/", "http://new.example/"],
    ["to a path", { hostname: "new.example", ...full("/login") }, {}, "/x?q=1", "http://new.example/login?q=1"],
    [
      "to a prefix",
      { ...prefix("/new"), hostname: "h.example" },
      { path: "/old" },
      "/old/x%0ay",
      "http://h.example/new/x%0Ay",
    ],
    [
      "double slashes lead nowhere else",
      { hostname: "new.example" },
      {},
      "//evil.example",
      "http://new.example//evil.example",
    ],
  ])("%s", async (_, settings, parts, path, location) => {
    const host = await its.route(redirect(settings), parts);
    const answer = await its.get(host, path);
    expect([answer.status, answer.headers.location]).toEqual([302, location]);
  });

  test.each([301, 302, 303, 307, 308])("with status %d, also of what has a body", async (statusCode) => {
    const host = await its.route(redirect({ statusCode, ...full("/") }));
    for (const options of [{}, { method: "POST", body: "x".repeat(100_000) }, { method: "HEAD" }]) {
      const answer = await its.get(host, "/x", options);
      expect([answer.status, answer.headers.location]).toEqual([statusCode, `http://${host}/`]);
    }
  });

  test("no port of the client's own, unless configured; and no backend is needed", async () => {
    const host = await its.route(redirect(full("/x")), { pools: [] });
    expect((await its.get(`${host}:1080`)).headers.location).toBe(`http://${host}/x`);
  });
});

describe("rewrites", () => {
  // Gateway API's table for ReplacePrefixMatch.
  test.each([
    ["/foo/bar", "/foo", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo", "/xyz/", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz/", "/xyz/bar"],
    ["/foo", "/foo", "/xyz", "/xyz"],
    ["/foo/", "/foo", "/xyz", "/xyz/"],
    ["/foo/bar", "/foo", "/", "/bar"],
    ["/foo/", "/foo", "/", "/"],
    ["/foo", "/foo", "/", "/"],
    ["/", "/", "/xyz", "/xyz/"],
    ["/a?q=%20&r", "/", "/xyz", "/xyz/a?q=%20&r"],
  ])("%s with %s replaced by %s is %s", async (path, value, by, expected) => {
    const host = await its.route(rewrite(prefix(by)), { path: value });
    expect((await its.heard(host, path)).url).toBe(expected);
  });

  test("a whole path, with a body", async () => {
    const host = await its.route(rewrite(full("/new")));
    const echo = await its.heard(host, "/any/where?q", { method: "POST", body: "hello" });
    expect([echo.url, echo.body, echo.method]).toEqual(["/new?q", "hello", "POST"]);
  });

  test("what a regular expression found", async () => {
    const path = { type: "regex", path: "/api/v(\\d+)(/|$)(.*)" };
    const host = await its.route(rewrite(regex("/$1/$3")), path);
    expect((await its.heard(host, "/api/v2/users?x=1")).url).toBe("/2/users?x=1");
    expect((await its.heard(host, "/api/v2")).url).toBe("/2/");
    expect((await its.get(host, "/api/vx")).status).toBe(404);
  });

  test("a Host; what the client asked for is told beside it", async () => {
    const host = await its.route(rewrite({ hostname: "inner.example" }));
    expect((await its.heard(host)).headers).toMatchObject({ host: "inner.example", "x-forwarded-host": host });
    expect((await its.heard(host, "/", { method: "POST", body: "x" })).headers["host"]).toBe("inner.example");
  });

  test("nothing decoded ends the request line", async () => {
    const host = await its.route(rewrite(prefix("/x")), { path: "/p" });
    const path = "/p/%0d%0aHost:%20evil%0d%0a%0d%0aGET%20/%20HTTP/1.1%3f%23%25%00";
    const before = its.backend.requests();
    expect((await its.heard(host, path.replace("%00", ""))).url).toBe(
      "/x/%0D%0AHost:%20evil%0D%0A%0D%0AGET%20/%20HTTP/1.1%3F%23%25",
    );
    expect((await its.get(host, path)).status).toBe(400);
    expect(its.backend.requests() - before).toBe(1);
  });
});

test.each<[string, object, RuleParts, RegExp]>([
  ["nothing to change", redirect({}), {}, /RequestRedirect: scheme, hostname, port or path must be there/],
  ["a status that is none", redirect({ hostname: "a.example", statusCode: 200 }), {}, /statusCode must be one of 301/],
  ["an unknown scheme", redirect({ scheme: "ftp" }), {}, /scheme must be one of http, https/],
  ["a name with a line break", redirect({ hostname: "a\r\nb" }), {}, /hostname must be a DNS name/],
  ["a wildcard", redirect({ hostname: "*.example" }), {}, /hostname must be a DNS name/],
  ["port 0", redirect({ port: 0 }), {}, /port must be a whole number/],
  ["a path without a slash", rewrite(full("x")), {}, /path.replaceFullPath must begin with/],
  ["a path with a query", rewrite(full("/x?y")), {}, /no \? or #/],
  ["a path with a line break", rewrite(full("/x\r\nEvil: 1")), {}, /control characters/],
  ["an unknown change", rewrite({ path: { type: "Strip" } }), {}, /path.type must be one of/],
  ["a prefix of a regular expression", rewrite(prefix("/")), { type: "regex", path: "/a" }, /does not go with/],
  ["both", { filters: [...redirect({ port: 1 }).filters, ...rewrite(full("/")).filters] }, {}, /exclude each other/],
  ["twice", { filters: [...rewrite(full("/")).filters, ...rewrite(full("/")).filters] }, {}, /is there twice/],
  ["no object", { filters: [{ type: "URLRewrite", urlRewrite: "x" }] }, {}, /urlRewrite must be an object/],
])("refuses %s", async (_, more, parts, reason) => {
  const [only, ...others] = await its.reasons(more as Record<string, unknown>, parts);
  expect(only).toMatch(reason);
  expect(others).toEqual([]);
});
