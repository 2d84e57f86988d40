import fc from "fast-check";
import { expect, test } from "vitest";
import {
  contestKinds,
  describeReference,
  domainReference,
  isContest,
  parseReferenceKey,
  portReference,
  referenceKey,
  seenKinds,
} from "../../shared/model/reference.ts";

const kind = fc.constantFrom(...seenKinds, ...contestKinds);
/** Any text that can be encoded: lone surrogates are no text. */
const text = fc.string({ unit: "grapheme" });

test("keys lead back to their references, and no name reaches out of its segment", () => {
  fc.assert(
    fc.property(kind, text, text, (kind, namespace, name) => {
      const key = referenceKey({ kind, namespace, name });
      expect(key.split("/")).toHaveLength(3);
      expect(parseReferenceKey(key)).toEqual({ kind, namespace, name });
    }),
  );
});

test("any text is a key or is not; none throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.tuple(kind, text, text).map((parts) => parts.join("/")),
      ),
      (candidate) => {
        const reference = parseReferenceKey(candidate);
        if (reference !== undefined) expect([...seenKinds, ...contestKinds]).toContain(reference.kind);
      },
    ),
  );
  expect(parseReferenceKey("Pod/a/b")).toBeUndefined();
  expect(parseReferenceKey("Service/a")).toBeUndefined();
  expect(parseReferenceKey("Service/a/b/c")).toBeUndefined();
  expect(parseReferenceKey("Service/%E0%A4%A/b")).toBeUndefined();
});

test("contests", () => {
  expect(referenceKey(domainReference("*.a.example"))).toBe("Domain//*.a.example");
  expect(referenceKey(portReference("edge", "tcp", 33061))).toBe("Port/edge/tcp%3A33061");
  expect([isContest("Domain"), isContest("Service")]).toEqual([true, false]);
  expect(describeReference(domainReference("a.example"))).toBe("Domain a.example");
  expect(describeReference({ kind: "Service", namespace: "shop", name: "web" })).toBe("Service shop/web");
});
