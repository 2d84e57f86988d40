import { describe, expect, test } from "vitest";
import { parseReferenceKey } from "../../shared/model/reference.ts";
import { dirtyPartition, lockKey, usersPartition } from "../../shared/reconcile/keys.ts";
import { Ledger, LockLost } from "../../shared/reconcile/ledger.ts";
import { extend, release, tryAcquire } from "../../shared/reconcile/lock.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { readWant } from "../../shared/reconcile/want.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { type Moment, pausedStore, Scheduler } from "../harness/paused-store.ts";
import { observed, seenIngress, seenService } from "../harness/seen.ts";

const takeoverMs = 12_000;

describe("the lock", () => {
  test("is free, taken, extended, freed; its fence only goes up", async () => {
    const { context } = newTestEntrance();
    const first = await tryAcquire(context);
    expect(first?.fence).toBe(1);
    expect(await tryAcquire(context)).toBeUndefined();
    const longer = first && (await extend(context, first));
    expect(longer?.fence).toBe(1);
    if (longer !== undefined) await release(context, longer);
    expect((await tryAcquire(context))?.fence).toBe(2);
  });

  test("is taken over once lease and clock margin are over, not before", async () => {
    const test = newTestEntrance();
    const first = await tryAcquire(test.context);
    test.clock += takeoverMs - 1;
    expect(await tryAcquire(test.context)).toBeUndefined();
    test.clock += 1;
    expect((await tryAcquire(test.context))?.fence).toBe(2);
    // The first one wakes up: its release frees nothing, its extension is refused.
    if (first === undefined) throw new Error("not acquired");
    await release(test.context, first);
    expect(JSON.parse((await test.context.store.get(lockKey))?.value ?? "{}").holder).toBe("test");
    expect(await extend(test.context, first)).toBeUndefined();
  });

  test("of a holder that died with marks left is taken in the moment when it may be, not with the next period", async () => {
    const test = newTestEntrance();
    const dead = newTestEntrance({ store: test.context.store, instance: "dead", startMs: test.clock });
    await tryAcquire(dead.context);
    const free = test.clock + takeoverMs;
    await trigger(test.context, [observed(seenService("shop", "web"), 1)]);
    test.clock = free - 2_000;
    test.host.wake = undefined;
    await test.entrance.tick();
    expect(test.host.wake).toBe(free);
    test.clock = free;
    await test.entrance.tick();
    expect((await test.context.store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
  });

  test("left over by a dead process is freed at once where no other process can have it", async () => {
    const { context } = newTestEntrance({ instance: "dead" });
    await tryAcquire(context);
    const next = newTestEntrance({ store: context.store, isSoleWriter: true });
    await next.entrance.observe([observed(seenService("shop", "web"), 1)]);
    await next.host.settled();
    expect((await context.store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
  });

  test("lost means that nothing more is written", async () => {
    const test = newTestEntrance();
    const lock = await tryAcquire(test.context);
    if (lock === undefined) throw new Error("not acquired");
    const ledger = new Ledger(test.context, lock, () => undefined);
    test.clock += takeoverMs;
    await tryAcquire(test.context);
    const key = { partition: "any", sort: "thing" };
    await ledger.stage(() => ({ writes: [{ key, value: "1" }] }));
    await expect(ledger.flush()).rejects.toThrow(LockLost);
    expect(await test.context.store.get(key)).toBeUndefined();
  });
});

/** Its checks of the lock are not made. */
function withoutLockCheck(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (partition, after, limit) => store.list(partition, after, limit),
    commit: (checks, writes) =>
      store.commit(
        checks.filter(({ key }) => key.partition !== lockKey.partition),
        writes,
      ),
    close: () => store.close(),
  };
}

/**
 * A holder is frozen between two commits of one large object, another one takes over and does everything, the first
 * one wakes up. Returns what is wrong with the Ingress then, and who has forgotten that it uses them.
 */
async function zombie(wrap: (store: Store) => Store): Promise<string[]> {
  const store = openMemoryStore();
  const scheduler = new Scheduler();
  const hosts = Array.from({ length: 60 }, (_, index) => `h${index}.example`);
  const many = seenIngress("shop", "many", hosts, "web");
  const sleeper = newTestEntrance({ store: wrap(pausedStore(store, "sleeper", scheduler.hold)), instance: "sleeper" });
  const other = newTestEntrance({ store, instance: "other", nodes: sleeper.nodes });
  await other.entrance.observe([observed(seenService("shop", "web"), 1), observed(many, 2)]);
  await other.host.settled();

  const work = [sleeper.entrance.observe([observed({ ...many, rules: [] }, 3)]).then(() => sleeper.host.settled())];
  let frozen = false;
  const takesUsersBack = ({ call, phase, keys }: Moment) =>
    call === "commit" &&
    phase === "before" &&
    keys.some((key) => key.partition.startsWith("users/")) &&
    keys.every((key) => key.partition !== "head");
  await scheduler.run(work, (held) => {
    frozen = held.some(({ moment }) => takesUsersBack(moment));
    return frozen ? undefined : held[0];
  });
  expect(frozen).toBe(true);

  other.clock += takeoverMs;
  await other.entrance.tick();
  await other.entrance.observe([observed(many, 4)]);
  await other.host.settled();
  expect((await store.list(dirtyPartition, undefined, 1)).entries).toEqual([]);
  await scheduler.run(work, (held) => held[0]);

  const { want } = await readWant(store, observed(many, 0).reference);
  const rules = Object.keys(want.resources["openresty"] ?? {}).length;
  const wrong = rules === hosts.length ? [] : [`it wants ${rules} rules`];
  for (const name of Object.keys(want.uses)) {
    const reference = parseReferenceKey(name);
    const users = reference && (await store.list(usersPartition(reference), undefined, 10));
    if (users?.entries.length !== 1) wrong.push(`${name} has forgotten it`);
  }
  return wrong;
}

describe("a holder that was frozen and wakes up", () => {
  test("does nothing more", async () => {
    expect(await zombie((store) => store)).toEqual([]);
  });

  test("without the check of the lock it would undo what the other one did", async () => {
    expect(await zombie(withoutLockCheck)).not.toEqual([]);
  });
});
