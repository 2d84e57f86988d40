import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../shared/model/canonical.ts";
import { isEqual } from "../../shared/model/equal.ts";

/** Few names and values, so that two are often nearly the same. */
const names = fc.constantFrom("a", "b", "constructor", "__proto__");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, 0, 1, "", "a"),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.array(fc.tuple(names, fc.oneof(fc.constant(undefined), tie("value"))), { maxLength: 3 }).map((members) => {
      const object: Record<string, unknown> = {};
      for (const [name, member] of members) {
        Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
      }
      return object;
    }),
  ),
}));

describe("isEqual", () => {
  it("says of any two values what their canonical JSON says", () => {
    const property = fc.property(value, value, (a, b) => {
      expect(isEqual(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      expect(isEqual(a, structuredClone(a))).toBe(true);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it.each([
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [{ a: undefined }, {}, true],
    [{}, { constructor: "text" }, false],
    [JSON.parse('{"__proto__":{}}'), {}, false],
    [[], {}, false],
    [[1, 2], [2, 1], false],
    [undefined, null, false],
  ])("%j and %j: %s", (a, b, equal) => {
    expect(isEqual(a, b)).toBe(equal);
    expect(isEqual(b, a)).toBe(equal);
  });
});
