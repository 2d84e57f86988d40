import { expect, test } from "vitest";
import { refusedPartition } from "../../shared/reconcile/keys.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { gone, observed, seenIngress } from "../harness/seen.ts";

for (const [title, next] of [
  ["changes", observed(seenIngress("shop", "web", [], "web"), 2)],
  ["goes", gone(seenIngress("shop", "web", ["www.shop.example"], "web"), 2)],
] as const) {
  test(`nothing is told of a fault of ours in an object that ${title} before it is tried again`, async () => {
    const { translate } = newTestEntrance().context;
    let broken = true;
    const test = newTestEntrance({
      translate: (subject, settings) => {
        if (broken) throw new Error("boom");
        return translate(subject, settings);
      },
    });
    await test.entrance.observe([observed(seenIngress("shop", "web", ["www.shop.example"], "web"), 1)]);
    await test.host.settled();
    expect((await test.context.store.list(refusedPartition, undefined, 10)).entries).toHaveLength(1);
    broken = false;
    await test.entrance.observe([next]);
    await test.host.settled();
    expect((await test.context.store.list(refusedPartition, undefined, 10)).entries).toEqual([]);
  });
}
