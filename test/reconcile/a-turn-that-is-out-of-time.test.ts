/** A host that is about to be stopped: the turn ends what it has begun, and whoever comes next goes on without a wait. */
import { expect, test } from "vitest";
import { dirtyPartition, lockKey } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { readLock } from "../../shared/reconcile/lock.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress } from "../harness/seen.ts";

const routes = 10;

test("the lock is free, the rest is marked, and the next tick does it", async () => {
  const test = newTestEntrance();
  const { store, host } = test.context;
  const many = Array.from({ length: routes }, (_, index) =>
    seenIngress("shop", `i${index}`, [`${index}.example`], "web"),
  );
  const { lock } = await trigger(
    test.context,
    many.map((object) => observed(object, 1)),
  );
  if (lock === undefined) throw new Error("the lock was free");
  let asked = 0;
  host.isOutOfTime = () => {
    asked += 1;
    return asked > routes / 2;
  };
  test.host.wake = undefined;
  await test.entrance.resume(lock);
  await test.host.settled();
  const left = (await listAll(store, dirtyPartition)).filter(({ key }) => key.sort.startsWith("Ingress/"));
  expect(left.length).toBe(routes / 2);
  expect(readLock(await store.get(lockKey)).holder).toBe("");
  expect(test.host.wake).toBe(test.clock);

  delete host.isOutOfTime;
  await test.entrance.tick();
  await test.host.settled();
  expect(await listAll(store, dirtyPartition)).toEqual([]);
  expect([...test.node().resources.keys()].filter((key) => key.startsWith("Rule/"))).toHaveLength(routes);
});
