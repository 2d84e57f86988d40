import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePrecedence, type RankedRule } from "../../shared/model/precedence.ts";
import { ruleKey } from "../../shared/model/resource-key.ts";
import type { Matches } from "../../shared/model/rule.ts";

const value = fc.array(
  fc.record({ type: fc.constantFrom("exact", "regex"), name: fc.constant("n"), value: fc.constant("v") }),
  {
    maxLength: 2,
  },
);
const few = fc.constantFrom("a", "b");

const ranked: fc.Arbitrary<RankedRule> = fc.record({
  rule: fc.record({
    matches: fc.record(
      {
        path: fc.record({
          type: fc.constantFrom("exact", "prefix", "start", "regex"),
          value: fc.constantFrom("/", "/a", "/ä", "/ab", "/𝕒"),
        }),
        method: fc.constantFrom("GET", "POST"),
        headers: value,
        query: value,
      },
      { requiredKeys: ["path"] },
    ) as fc.Arbitrary<Matches>,
    owner: fc.record({
      kind: fc.constantFrom("Ingress", "Service"),
      namespace: few,
      name: few,
      created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    }),
  }),
  number: fc.nat({ max: 2 }),
});

const keyOf = ({ rule, number }: RankedRule) => ruleKey("a.example", rule.owner, number);

test("a strict total order of rules with different keys", () => {
  fc.assert(
    fc.property(ranked, ranked, ranked, (a, b, c) => {
      const ab = comparePrecedence(a, b);
      expect(Math.sign(comparePrecedence(b, a))).toBe(-Math.sign(ab) + 0);
      if (keyOf(a) !== keyOf(b)) expect(ab).not.toBe(0);
      if (ab < 0 && comparePrecedence(b, c) < 0) expect(comparePrecedence(a, c)).toBeLessThan(0);
    }),
    { numRuns: 1_000 },
  );
});

const owner = { kind: "Service", namespace: "b", name: "b", created: "2026-01-01T00:00:00Z" };
const rule = (type: Matches["path"]["type"], value: string, more: Partial<Matches> = {}, by = {}): RankedRule => ({
  rule: { matches: { path: { type, value }, ...more }, owner: { ...owner, ...by } },
  number: 0,
});
const match = { type: "exact", name: "n", value: "v" } as const;

test.each<[string, RankedRule, RankedRule]>([
  ["exact before a longer prefix", rule("exact", "/a"), rule("prefix", "/abc")],
  ["the longer prefix", rule("start", "/ab"), rule("prefix", "/a")],
  ["length in bytes of UTF-8", rule("prefix", "/ä"), rule("prefix", "/a")],
  ["elements before characters", rule("prefix", "/a"), rule("start", "/a")],
  ["regular expressions before prefixes", rule("regex", "/a.*"), rule("prefix", "/abcdefgh")],
  ["a method", rule("prefix", "/", { method: "GET" }), rule("prefix", "/", { headers: [match] })],
  ["more headers", rule("prefix", "/", { headers: [match] }), rule("prefix", "/", { query: [match, match] })],
  ["more query parameters", rule("prefix", "/", { query: [match] }), rule("prefix", "/")],
  [
    "the older owner",
    rule("prefix", "/", {}, { namespace: "z" }),
    rule("prefix", "/", {}, { created: "2026-01-02T00:00:00Z" }),
  ],
  ["then namespace/name", rule("prefix", "/", {}, { namespace: "a" }), rule("prefix", "/", {}, { name: "a" })],
  ["then the kind", rule("prefix", "/", {}, { kind: "Ingress" }), rule("prefix", "/")],
  ["then the number", rule("prefix", "/"), { ...rule("prefix", "/"), number: 1 }],
])("%s", (_, first, second) => {
  expect(comparePrecedence(first, second)).toBeLessThan(0);
  expect(comparePrecedence(second, first)).toBeGreaterThan(0);
});
