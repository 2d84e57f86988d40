import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostCovers, parseHost } from "../../shared/model/host.ts";

describe("a host name", () => {
  test.each([
    "a",
    "www.shop.example",
    "*.shop.example",
    "*",
    "xn--bcher-kva.example",
    "_dmarc.a.example",
    "8080.web.t.apps.example",
  ])("%s", (host) => {
    expect(parseHost(host)).toEqual({ ok: true, value: host });
  });

  test("is lower-case", () => {
    expect(parseHost("WWW.Shop.Example")).toEqual({ ok: true, value: "www.shop.example" });
  });

  test.each([
    "",
    ".",
    "a..b",
    "a.",
    ".a",
    "-a.example",
    "a-.example",
    "a b.example",
    "a.example\n",
    "a.example:80",
    "a/b",
    "*.*.example",
    "a.*.example",
    "*a.example",
    "*.",
    "10.1.2.3",
    "[fd00::1]",
    "bücher.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(127)}a`,
  ])("is not %j", (host) => {
    expect(parseHost(host).ok).toBe(false);
  });

  test("of any text: never throws, and what is accepted is accepted again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.string({ unit: "binary" })), (text) => {
        const parsed = parseHost(text);
        if (parsed.ok) expect(parseHost(parsed.value)).toEqual(parsed);
      }),
    );
  });
});

test.each([
  ["a.example", "a.example", true],
  ["*.a.example", "x.a.example", true],
  ["*.a.example", "*.a.example", true],
  ["*.a.example", "a.example", false],
  ["*.a.example", "x.y.a.example", false],
  ["*.a.example", "*.x.a.example", false],
  ["a.example", "b.example", false],
  ["*.example", "*", false],
])("%s covers %s: %s", (pattern, host, covers) => {
  expect(hostCovers(pattern, host)).toBe(covers);
});
