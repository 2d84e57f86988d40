/** A translation that throws is a fault of ours: the review is allowed, and what it was of is seen and told in the status. */
import { expect, test } from "vitest";
import { seenKey } from "../../shared/reconcile/keys.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress } from "../harness/seen.ts";

test("what is allowed is seen, whatever its review came to", async () => {
  const entrance = newTestEntrance({
    // biome-ignore lint/correctness/useYield: it never comes so far.
    *translate() {
      throw new Error("a fault of ours");
    },
  });
  const observation = observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 7);
  expect(await entrance.entrance.problemsOf(observation)).toEqual([]);
  await entrance.entrance.reviewed(observation);
  await entrance.host.settled();
  expect(await entrance.context.store.get(seenKey(observation.reference))).toBeDefined();
  expect(entrance.warnings).toContain("the review of Ingress shop/web: a fault of ours");
});
