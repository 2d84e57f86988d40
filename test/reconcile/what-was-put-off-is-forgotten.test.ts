/** A fault of ours in an object that changes in that very moment puts off nothing of its new version. */
import { expect, test } from "vitest";
import { laterPartition } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { translate } from "../../shared/translate/translate.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress } from "../harness/seen.ts";

test("by the commit that would put off the version before", async () => {
  const store = openMemoryStore();
  const other = newTestEntrance({ store, instance: "other" });
  let isMended = false;
  const mine = newTestEntrance({
    instance: "mine",
    store: {
      ...store,
      async commit(checks, writes) {
        // The turn has read the version that it fails at, and is about to say so.
        if (!isMended && writes.some(({ key, value }) => key.partition === laterPartition && value !== null)) {
          isMended = true;
          await other.entrance.observe([observed(seenIngress("shop", "web", ["b.example"], "web"), 8)]);
        }
        return store.commit(checks, writes);
      },
    },
    *translate(subject, settings) {
      if (!isMended && subject.reference.kind === "Ingress") throw new Error("a fault of ours");
      return yield* translate(subject, settings);
    },
  });
  await mine.entrance.observe([observed(seenIngress("shop", "web", ["a.example"], "web"), 7)]);
  await mine.host.settled();
  await other.host.settled();
  expect(isMended).toBe(true);
  expect(await listAll(store, laterPartition)).toEqual([]);
});
