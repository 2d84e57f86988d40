import { expect, test } from "vitest";
import { dirtyPartition } from "../../shared/reconcile/keys.ts";
import { Ledger } from "../../shared/reconcile/ledger.ts";
import { tryAcquire } from "../../shared/reconcile/lock.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenService } from "../harness/seen.ts";

/** The turn marks an object and opens it; a flush between its reading and its outcome writes that mark. */
async function dueAfter(between: "nothing" | "an event"): Promise<number> {
  const { context } = newTestEntrance();
  const lock = await tryAcquire(context);
  if (lock === undefined) throw new Error("not acquired");
  const ledger = new Ledger(context, lock, () => undefined);
  const event = observed(seenService("shop", "web"), 1);
  await ledger.mark([event.reference]);
  await ledger.marks.open(event.reference);
  if (between === "an event") await trigger(context, [event]);
  await ledger.flush();
  ledger.marks.close(event.reference);
  await ledger.flush({ release: true });
  return (await context.store.list(dirtyPartition, undefined, 10)).entries.length;
}

test("an object that changes after a turn has read it stays marked, also when the turn had marked it itself", async () => {
  expect(await dueAfter("an event")).toBe(1);
});

test("the turn's own mark goes with what it stands for", async () => {
  expect(await dueAfter("nothing")).toBe(0);
});

test("a mark that was listed, and is gone since, takes no newer one of the turn's own with it", async () => {
  const { context } = newTestEntrance();
  const { reference } = observed(seenService("shop", "web"), 1);
  const marks = async () => (await context.store.list(dirtyPartition, undefined, 10)).entries;
  const lock = await tryAcquire(context);
  if (lock === undefined) throw new Error("not acquired");
  const ledger = new Ledger(context, lock, () => undefined);
  await ledger.mark([reference]);
  await ledger.flush();
  const [listed] = await marks();
  // It is marked once more, translated for somebody who reads it, and marked again before the list comes to it.
  await ledger.mark([reference]);
  await ledger.flush();
  await ledger.marks.open(reference);
  ledger.marks.close(reference);
  await ledger.flush();
  expect(await marks()).toEqual([]);
  await ledger.mark([reference]);
  await ledger.marks.open(reference, listed);
  await ledger.flush();
  expect(await marks()).toHaveLength(1);
  ledger.marks.close(reference);
  await ledger.flush({ release: true });
  expect(await marks()).toEqual([]);
});
