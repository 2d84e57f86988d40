import fc from "fast-check";
import { expect, test } from "vitest";
import {
  certificateKey,
  domainKey,
  maxResourceKeyLength,
  nodeKey,
  parseResourceKey,
  poolKey,
  ruleKey,
  virtualServiceKey,
} from "../../shared/model/resource-key.ts";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const number = fc.integer({ min: 0, max: 65_535 });

test("keys lead back to their segments", () => {
  fc.assert(
    fc.property(text, text, text, number, (a, b, c, n) => {
      const owner = { kind: a, namespace: b, name: c };
      const made: [string, string, string[]][] = [
        [poolKey(a, b, n), "Pool", [a, b, String(n)]],
        [nodeKey(a, b, n, c), "Node", [a, b, String(n), c]],
        [domainKey(a), "Domain", [a]],
        [virtualServiceKey("udp", n), "VirtualService", ["udp", String(n)]],
        [ruleKey(a, owner, n), "Rule", [a, a, b, c, String(n)]],
        [certificateKey(a, b), "Certificate", [a, b]],
      ];
      for (const [key, kind, segments] of made) {
        const parsed = parseResourceKey(key);
        if (key.length <= maxResourceKeyLength) expect(parsed).toEqual({ kind, segments });
        else expect(parsed).toBeUndefined();
      }
    }),
  );
});

test("there is one way to write a key", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((part) => `Domain/${part}`),
      ),
      (candidate) => {
        const parsed = parseResourceKey(candidate);
        if (parsed !== undefined) {
          expect([parsed.kind, ...parsed.segments.map(encodeURIComponent)].join("/")).toBe(candidate);
        }
      },
    ),
  );
  expect(parseResourceKey("Domain/a%2Eb")).toBeUndefined();
  expect(parseResourceKey("Domain/")).toBeUndefined();
  expect(parseResourceKey("Domain/a/b")).toBeUndefined();
  expect(parseResourceKey("Secret/a/b")).toBeUndefined();
  expect(parseResourceKey(`Domain/${"a".repeat(maxResourceKeyLength)}`)).toBeUndefined();
});
