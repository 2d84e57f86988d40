import fc from "fast-check";
import { expect, test } from "vitest";
import {
  comparePositions,
  maxResourceVersionDigits,
  type Position,
  parseResourceVersion,
} from "../../shared/model/position.ts";

const position: fc.Arbitrary<Position> = fc.record({
  era: fc.nat({ max: 2 }),
  resourceVersion: fc.oneof(fc.bigInt({ min: 0n, max: 12n }), fc.bigInt({ min: 0n, max: 10n ** 39n })).map(String),
  step: fc.constantFrom(0, 1, 2),
});

test("positions are in total order", () => {
  fc.assert(
    fc.property(position, position, position, (a, b, c) => {
      const ab = comparePositions(a, b);
      expect(Math.sign(comparePositions(b, a))).toBe(-Math.sign(ab) + 0);
      expect(ab === 0).toBe(JSON.stringify(a) === JSON.stringify(b));
      if (ab <= 0 && comparePositions(b, c) <= 0) expect(comparePositions(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

test("the era counts first, then the number, then the step", () => {
  fc.assert(
    fc.property(position, position, (a, b) => {
      const byNumber = BigInt(a.resourceVersion) - BigInt(b.resourceVersion);
      const expected = a.era - b.era || (byNumber < 0n ? -1 : byNumber > 0n ? 1 : 0) || a.step - b.step;
      expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(expected));
    }),
  );
});

test("a resourceVersion is a decimal of any length that is kept", () => {
  expect(parseResourceVersion("007")).toBe("7");
  expect(parseResourceVersion("0")).toBe("0");
  expect(parseResourceVersion("000")).toBe("0");
  expect(parseResourceVersion("9".repeat(maxResourceVersionDigits))).toHaveLength(maxResourceVersionDigits);
  for (const text of ["", "-1", "1.5", "1e9", " 1", "0x1", "9".repeat(maxResourceVersionDigits + 1)]) {
    expect(parseResourceVersion(text)).toBeUndefined();
  }
});
