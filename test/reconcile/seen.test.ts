import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentHash } from "../../shared/model/canonical.ts";
import type { Observation } from "../../shared/model/observation.ts";
import { news, type SeenRecord } from "../../shared/reconcile/seen.ts";
import { gone, observed, seenService } from "../harness/seen.ts";

const web = seenService("shop", "web");
const other = seenService("shop", "web", { labels: { domain: "other.example" } });

function seenAfter(...observations: Exclude<Observation, { type: "hint" }>[]): SeenRecord | undefined {
  let known: SeenRecord | undefined;
  for (const observation of observations) {
    const outcome = news(known, observation, 0);
    if (outcome.type === "record") known = outcome.record;
  }
  return known;
}

const review = (object: typeof web, resourceVersion: number, uid?: string) => ({
  ...observed(object, resourceVersion, uid),
  position: { resourceVersion: String(resourceVersion), step: 1 as const },
});

describe("what is newer", () => {
  test("a review of the next version comes after the version, and before its successor", () => {
    expect(seenAfter(observed(web, 9), review(other, 9))?.hash).toBe(contentHash(other));
    expect(seenAfter(review(other, 9), observed(web, 10))?.hash).toBe(contentHash(web));
    expect(seenAfter(observed(web, 10), review(other, 9))?.hash).toBe(contentHash(web));
  });

  test("versions are numbers of any length, not texts", () => {
    expect(seenAfter(observed(web, 99), observed(other, 100))?.hash).toBe(contentHash(other));
    const huge = {
      ...observed(other, 1),
      position: { resourceVersion: "123456789012345678901234567890", step: 0 as const },
    };
    expect(seenAfter(observed(web, 2 ** 53 - 1), huge)?.hash).toBe(contentHash(other));
  });

  test("equal content moves the position and changes nothing", () => {
    const known = seenAfter(observed(web, 9));
    expect(news(known, observed(web, 12), 0)).toMatchObject({ type: "record", changed: false });
    expect(news(known, observed(web, 9), 0)).toEqual({ type: "old" });
  });

  test("a uid once deleted never returns, another uid does", () => {
    expect(seenAfter(observed(web, 9), gone(web, 9), observed(other, 12))?.gone).toBe(true);
    expect(seenAfter(observed(web, 9), gone(web, 9), observed(other, 12, "second"))?.gone).toBe(false);
  });

  test("a late end of the first does not end the second of the same name", () => {
    expect(seenAfter(observed(web, 20, "second"), gone(web, 9))?.gone).toBe(false);
  });

  test("a Status buries the uid that is known, and no other", () => {
    const buried = { type: "buried" as const, reference: observed(web, 1).reference, uid: "Service-shop-web" };
    expect(seenAfter(observed(web, 9), buried)).toMatchObject({
      gone: true,
      position: { resourceVersion: "9", step: 2 },
    });
    expect(seenAfter(observed(web, 9, "second"), buried)?.gone).toBe(false);
    // It overtook the birth: the object does not come to life, another one of its name does.
    expect(seenAfter(buried, observed(web, 9))?.gone).toBe(true);
    expect(seenAfter(buried, observed(web, 9, "second"))?.gone).toBe(false);
    // Nor after another one of its name was known, before the burial or since.
    expect(seenAfter(observed(web, 9, "second"), buried, observed(web, 12))?.uid).toBe("second");
    expect(seenAfter(buried, gone(web, 9, "second"), observed(web, 12))?.gone).toBe(true);
  });

  test("an unusable version keeps the last usable one beside its reason", () => {
    const bad = {
      ...gone(web, 12),
      type: "unusable" as const,
      reason: "a port is too large",
      position: { resourceVersion: "12", step: 0 as const },
    };
    expect(seenAfter(observed(web, 9), bad)).toMatchObject({ unusable: "a port is too large", object: web });
  });

  test("a tombstone is kept for an object that was never seen, so that its past does not become its present", () => {
    expect(seenAfter(gone(web, 12), observed(web, 9))?.gone).toBe(true);
  });
});

test("any order of the same observations ends in the same record", () => {
  const objects = [web, other, seenService("shop", "web", { labels: { domain: "third.example" } })];
  const observation = fc.record({
    which: fc.nat(2),
    version: fc.integer({ min: 1, max: 4 }),
    step: fc.constantFrom(0 as const, 1 as const, 2 as const),
  });
  void fc.assert(
    fc.property(fc.array(observation, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (list, dice) => {
      const all = list.map(({ which, version, step }) => {
        const object = objects[which] ?? web;
        if (step === 2) return gone(object, version);
        return { ...observed(object, version), position: { resourceVersion: String(version), step } };
      });
      const shuffled = [...all].map((each) => ({ each, at: dice.next().value })).sort((a, b) => a.at - b.at);
      const inOrder = seenAfter(...all);
      const otherwise = seenAfter(...shuffled.map(({ each }) => each));
      expect(otherwise).toEqual(inOrder);
    }),
  );
});
