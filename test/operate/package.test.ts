/** A store's content as a package, and a package as a store's content: nothing is lost, and nothing half is taken. */
import { beforeEach, describe, expect, test } from "vitest";
import { carried } from "../../shared/operate/carried.ts";
import { changeHead } from "../../shared/operate/change-head.ts";
import { clear } from "../../shared/operate/clear.ts";
import { closeStore, openStore } from "../../shared/operate/close.ts";
import { checkPackage } from "../../shared/operate/package.ts";
import { surveyClosed, surveyRefused } from "../../shared/reconcile/survey.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { each, importInto, operatingOn, packageOf } from "./operating.ts";

const balancer = "openresty";
let old: TestEntrance;

/** Two tenants who want one host; an object whose newest version cannot be used; and one that is too large for a record. */
beforeEach(async () => {
  old = newTestEntrance();
  const usable = seenIngress("shop", "lasting", ["lasting.example"], "web");
  const many = Array.from({ length: 250 }, (_, index) => `h${index}.${"x".repeat(60)}.example`);
  await observe(old, [
    observed(seenService("shop", "web"), 1),
    observed(seenService("other", "web"), 1),
    observed(seenSlice("shop", "web", ["10.0.0.1"]), 2),
    observed(seenIngress("shop", "web", ["www.example"], "web"), 3),
    observed(usable, 4),
    observed(seenIngress("shop", "large", many, "web"), 5),
  ]);
  await observe(old, [
    observed(seenIngress("other", "web", ["www.example"], "web", { created: "2020-01-01T00:00:00Z" }), 6),
  ]);
  const { reference, uid } = observed(usable, 7);
  await observe(old, [
    { type: "unusable", reference, uid, position: { resourceVersion: "7", step: 0 }, reason: "cannot be read" },
  ]);
});

async function observe(test: TestEntrance, observations: Parameters<TestEntrance["entrance"]["observe"]>[0]) {
  await test.entrance.observe(observations);
  await test.host.settled();
}

async function ticked(test: TestEntrance): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    test.clock += 60_000;
    await test.entrance.tick();
    await test.host.settled();
  }
}

async function contentOf(store: Store): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { key, value } of carried(store)) content.set(`${key.partition} ${key.sort}`, value);
  return content;
}

const headOf = (store: Store) => changeHead(store, balancer, (head) => head);

describe("a move", () => {
  test("all that the new place needs is there, and the nodes go on with its word", async () => {
    await closeStore(old.context.store, old.clock);
    const lines = await packageOf(operatingOn(old));
    const store = openMemoryStore();
    expect(await importInto(store, lines)).toBe(lines.length - 2);
    expect(await contentOf(store)).toEqual(await contentOf(old.context.store));

    const claims = async (of: Store) =>
      (await of.list("users/Domain//www.example", undefined, 10)).entries.map(({ key, value }) => [key.sort, value]);
    expect(await claims(store)).toEqual(await claims(old.context.store));
    expect(await claims(store)).toHaveLength(2);

    const before = old.node().state;
    const next = newTestEntrance({ store, nodes: old.nodes, startMs: old.clock });
    await ticked(next);
    // Everything was translated anew, and came out as it was.
    expect(await headOf(store)).toMatchObject({ ...before, epoch: before.epoch + 1, complete: true });
    expect(next.node().state).toMatchObject({ ...before, epoch: before.epoch + 1 });
    expect((await surveyRefused(next.context, 10)).map(({ object }) => object)).toEqual([
      "Ingress/other/web",
      "Ingress/shop/lasting",
    ]);

    // The store that was left drives nobody, whatever it meets.
    await expect(old.entrance.tick()).rejects.toMatchObject({ code: "busy", retryAfterSeconds: 10 });
    await old.entrance.pusher.repair(true);
    expect(next.node().state.epoch).toBe(before.epoch + 1);
    expect(await headOf(old.context.store)).toMatchObject({ epoch: before.epoch });

    // And the new one goes on: the holder's end gives the host to who waited.
    await observe(next, [gone(seenIngress("shop", "web", ["www.example"], "web"), 8)]);
    expect((await surveyRefused(next.context, 10)).map(({ object }) => object)).toEqual(["Ingress/shop/lasting"]);
  });

  test("the store that was left refuses what it is told, until it is opened again", async () => {
    const { store } = old.context;
    await closeStore(store, old.clock);
    const news = observed(seenIngress("shop", "new", ["new.example"], "web"), 9);
    await expect(old.entrance.observe([news])).rejects.toMatchObject({ code: "busy", retryAfterSeconds: 10 });
    expect(await store.get({ partition: "seen/Ingress", sort: "shop/new" })).toBeUndefined();
    expect(await surveyClosed(old.context)).toMatch(/npm run store -- open/);
    await closeStore(store, old.clock + 1);
    await openStore(store);
    await openStore(store);
    expect(await surveyClosed(old.context)).toBeUndefined();
    await observe(old, [news]);
    expect(old.node().resources.has("Domain/new.example")).toBe(true);
  });

  test("who reads the lock just before the closing is refused as well", async () => {
    const { store } = old.context;
    const slow = newTestEntrance({
      nodes: old.nodes,
      startMs: old.clock,
      store: {
        ...store,
        commit: async (checks, writes) => {
          if (writes.some(({ key }) => key.sort === "shop/new")) await closeStore(store, 1);
          return store.commit(checks, writes);
        },
      },
    });
    const news = observed(seenIngress("shop", "new", ["new.example"], "web"), 9);
    await expect(slow.entrance.observe([news])).rejects.toMatchObject({ code: "busy" });
  });

  test("a turn that is under way ends where it stands", async () => {
    const { store } = old.context;
    let isClosed = false;
    const slow = newTestEntrance({
      nodes: old.nodes,
      startMs: old.clock,
      store: {
        ...store,
        commit: async (checks, writes) => {
          if (!isClosed && writes.some(({ key }) => key.partition === "head")) {
            isClosed = true;
            await closeStore(store, 1);
          }
          return store.commit(checks, writes);
        },
      },
    });
    const before = await headOf(store);
    await observe(slow, [observed(seenIngress("shop", "new", ["new.example"], "web"), 9)]);
    expect(await headOf(store)).toEqual({ ...before, closed: 1 });
    // It is marked, so it is translated where the package goes.
    const there = openMemoryStore();
    await importInto(there, await packageOf(operatingOn(old)));
    const next = newTestEntrance({ store: there, nodes: old.nodes, startMs: old.clock });
    await ticked(next);
    expect(next.node().resources.has("Domain/new.example")).toBe(true);
  });
});

describe("a backup", () => {
  test("what is observed meanwhile waits for its turn, and then has it", async () => {
    let isTold = false;
    const { store } = old.context;
    const list: Store["list"] = async (partition, after, limit) => {
      if (!isTold && partition === "want/Service") {
        isTold = true;
        await observe(old, [observed(seenIngress("shop", "new", ["new.example"], "web"), 9)]);
        expect(old.node().resources.has("Domain/new.example")).toBe(false);
      }
      return store.list(partition, after, limit);
    };
    const lines = await packageOf({ ...operatingOn(old), store: { ...store, list } });
    expect(isTold).toBe(true);
    await ticked(old);
    expect(old.node().resources.has("Domain/new.example")).toBe(true);
    await importInto(openMemoryStore(), lines);
  });

  test("restored after a disaster: the nodes are ahead, and are led on from there", async () => {
    const lines = await packageOf(operatingOn(old));
    await observe(old, [observed(seenIngress("shop", "later", ["later.example"], "web"), 9)]);
    await changeHead(old.context.store, balancer, (head) => ({ ...head, epoch: 9 }));
    await ticked(old);
    expect(old.node().state.epoch).toBe(9);
    const store = openMemoryStore();
    await importInto(store, lines);
    const next = newTestEntrance({ store, nodes: old.nodes, startMs: old.clock });
    await ticked(next);
    expect(next.node().state).toEqual(
      await headOf(store).then(({ epoch, revision, digest, store: id }) => ({ store: id, epoch, revision, digest })),
    );
    expect(next.node().state.epoch).toBe(10);
  });

  test("a lock that is lost on the way is told", async () => {
    const { store } = old.context;
    const list: Store["list"] = async (partition, after, limit) => {
      if (partition === "want/Service")
        await store.commit(
          [],
          [{ key: { partition: "lock", sort: "lock" }, value: JSON.stringify({ holder: "x", fence: 99, expires: 0 }) }],
        );
      return store.list(partition, after, limit);
    };
    await expect(packageOf({ ...operatingOn(old), store: { ...store, list } })).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/begin anew/),
    });
  });
});

describe("what cannot be taken", () => {
  test("a package that was cut off, changed, or is none", async () => {
    const lines = await packageOf(operatingOn(old));
    const check = (changed: readonly string[]) => checkPackage(each(changed));
    expect(await check(lines)).toMatchObject({ records: lines.length - 2 });
    await expect(check(lines.slice(0, -1))).rejects.toThrow(/cut off/);
    await expect(check([...lines.slice(0, 3), ...lines.slice(4)])).rejects.toThrow(/was changed/);
    await expect(check(lines.map((line) => line.replace("lasting.example", "changed.example")))).rejects.toThrow(
      /was changed/,
    );
    await expect(check([...lines, "{}"])).rejects.toThrow(/behind its last line/);
    await expect(check([])).rejects.toThrow(/line 1/);
    await expect(check(["{}"])).rejects.toThrow(/line 1/);
    await expect(check([lines[0]?.replace('"format":1', '"format":2') ?? ""])).rejects.toThrow(/a newer Entrance/);
    const strange = JSON.stringify({ p: "lock", s: "lock", v: "{}" });
    await expect(check([lines[0] ?? "", strange, ...lines.slice(1)])).rejects.toThrow(/line 2 is no record/);
  });

  test("a store that has something, unless that may go", async () => {
    const lines = await packageOf(operatingOn(old));
    const other = newTestEntrance();
    await observe(other, [
      observed(seenService("mine", "web"), 1),
      observed(seenIngress("mine", "web", ["mine.example"], "web"), 2),
    ]);
    await expect(importInto(other.context.store, lines)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/--replace/),
    });
    expect(await contentOf(other.context.store)).not.toEqual(await contentOf(old.context.store));
    await importInto(other.context.store, lines, true);
    expect(await headOf(other.context.store)).toMatchObject({ epoch: 2 });
    expect(await contentOf(other.context.store)).toEqual(await contentOf(old.context.store));
  });

  test("a copy that was started before the import leaves the store empty, and goes on with what it brings", async () => {
    const waiting = newTestEntrance({ nodes: old.nodes, randomId: () => "f".repeat(32) });
    await ticked(waiting);
    await closeStore(old.context.store, old.clock);
    await importInto(waiting.context.store, await packageOf(operatingOn(old)));
    await ticked(waiting);
    expect(waiting.node().state).toMatchObject({ epoch: 2, digest: (await headOf(old.context.store)).digest });
  });

  test("an import that breaks off: no copy works on the half, and the same command makes it whole", async () => {
    const lines = await packageOf(operatingOn(old));
    const store = openMemoryStore();
    let commits = 0;
    const failing: Store = {
      ...store,
      commit: async (checks, writes) => {
        commits += 1;
        if (commits > 3) throw new Error("the store is gone");
        return store.commit(checks, writes);
      },
    };
    await expect(importInto(failing, lines)).rejects.toThrow("the store is gone");
    const early = newTestEntrance({ store, nodes: old.nodes });
    await expect(early.entrance.tick()).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/has not come to its end/),
    });
    await expect(early.entrance.observe([observed(seenService("shop", "web"), 99)])).rejects.toMatchObject({
      code: "busy",
    });
    await expect(openStore(store)).rejects.toMatchObject({ code: "invalid" });
    await importInto(store, lines);
    expect(await contentOf(store)).toEqual(await contentOf(old.context.store));
  });
});

test("clearing leaves nothing but the lock", async () => {
  const { store } = old.context;
  await clear(store, [balancer]);
  expect([...(await contentOf(store)).keys()]).toEqual([]);
  for (const partition of ["head", "tick", `log/${balancer}`, "users/Service/shop/web", "part/Ingress/shop/large"]) {
    expect((await store.list(partition, undefined, 10)).entries).toEqual([]);
  }
});
