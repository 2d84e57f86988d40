import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, contentHash, sha1Hex } from "../../shared/model/canonical.ts";
import { addToDigest, emptyDigest, removeFromDigest } from "../../shared/model/digest.ts";

const entries = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([key]) => key, maxLength: 20 });

function digestOf(list: readonly (readonly [string, string])[], start = emptyDigest): string {
  return list.reduce((digest, [key, hash]) => addToDigest(digest, key, hash), start);
}

test("the order of additions has no say, and what is taken back leaves no trace", () => {
  fc.assert(
    fc.property(entries, entries, (kept, passing) => {
      const digest = digestOf(kept);
      expect(digestOf(kept.toReversed())).toBe(digest);
      const all = digestOf(passing, digest);
      expect(passing.reduce((rest, [key, hash]) => removeFromDigest(rest, key, hash), all)).toBe(digest);
      expect(digest).toMatch(/^[0-9a-f]{40}$/);
    }),
  );
});

test("one key is its own SHA-1, and words carry nothing over", () => {
  expect(addToDigest(emptyDigest, "Domain/a", "h")).toBe(sha1Hex("Domain/a\nh"));
  const term = sha1Hex("k\nh");
  const words = (term.match(/.{8}/g) ?? []).map((word) => (Number.parseInt(word, 16) + 0xffffffff) % 2 ** 32);
  expect(addToDigest("f".repeat(40), "k", "h")).toBe(words.map((word) => word.toString(16).padStart(8, "0")).join(""));
});

test("content has one text and one hash, however its members are ordered", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(reversed(value))).toBe(text);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(contentHash(value)).toBe(sha1Hex(text));
    }),
  );
  expect(canonicalJson({ b: 1, a: [{ d: undefined, c: "ü" }] })).toBe('{"a":[{"c":"ü"}],"b":1}');
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
