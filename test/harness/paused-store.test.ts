/** The scheduler, shown by what it is for: two writers interleaved in every way. */
import { expect, test } from "vitest";
import { EntranceError } from "../../shared/model/error.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Key, Store } from "../../shared/store/port.ts";
import { countedStore } from "./counted-store.ts";
import { type Held, pausedStore, Scheduler } from "./paused-store.ts";

const key: Key = { partition: "p", sort: "counter" };

async function increment(store: Store, checked: boolean): Promise<void> {
  for (;;) {
    const entry = await store.get(key);
    const checks = checked ? [{ key, version: entry?.version ?? null }] : [];
    const result = await store.commit(checks, [{ key, value: String(Number(entry?.value ?? "0") + 1) }]);
    if (result.ok) return;
  }
}

/** Two increments, where `turns` says who goes next; the rest of the way, whoever stands first. */
async function race(turns: string, checked: boolean): Promise<{ value: string | undefined; trace: string }> {
  const store = openMemoryStore();
  const scheduler = new Scheduler();
  const work = ["a", "b"].map((who) => increment(pausedStore(store, who, scheduler.hold), checked));
  const left = [...turns];
  const trace: string[] = [];
  await scheduler.run(work, (held) => {
    const next = left.shift();
    const chosen = held.find(({ moment }) => moment.who === next) ?? held[0];
    if (chosen) trace.push(`${chosen.moment.who} ${chosen.moment.phase} ${chosen.moment.call}`);
    return chosen;
  });
  await Promise.all(work);
  const value = (await store.get(key))?.value;
  await store.close();
  return { value, trace: trace.join(", ") };
}

/** All texts of that many a's and b's. */
function allTurns(length: number): string[] {
  return length === 0 ? [""] : allTurns(length - 1).flatMap((turns) => [`${turns}a`, `${turns}b`]);
}

test("every interleaving of two checked increments counts both; without the check some lose one", async () => {
  const unchecked = new Set<string | undefined>();
  const traces = new Set<string>();
  for (const turns of allTurns(8)) {
    const checked = await race(turns, true);
    expect(checked.value, checked.trace).toBe("2");
    traces.add(checked.trace);
    unchecked.add((await race(turns, false)).value);
  }
  expect(unchecked).toEqual(new Set(["1", "2"]));
  expect(traces.size).toBeGreaterThan(50);
});

test("the same choices give the same run", async () => {
  expect(await race("abbaabab", true)).toEqual(await race("abbaabab", true));
});

test("an answer may get lost after the write, and a caller may freeze before it", async () => {
  const store = openMemoryStore();
  const scheduler = new Scheduler();
  const lost = increment(pausedStore(store, "lost", scheduler.hold), true).catch((error: unknown) => error);
  const frozen = increment(pausedStore(store, "frozen", scheduler.hold), true);
  const stands = (held: readonly Held[], who: string) => held.find(({ moment }) => moment.who === who);
  await scheduler.run([lost, frozen], (held) => {
    const answer = stands(held, "lost");
    if (answer?.moment.call === "commit" && answer.moment.phase === "after") {
      answer.fail(new EntranceError("uncertain", "no answer"));
    }
    return answer;
  });
  expect(await lost).toMatchObject({ code: "uncertain" });
  expect((await store.get(key))?.value).toBe("1");
});

test("work that waits for something else is an error", async () => {
  await expect(new Scheduler().run([new Promise(() => {})], (held) => held[0])).rejects.toThrow(/nothing is held/);
});

test("a counted store names the keys of each operation", async () => {
  const { store, operations } = countedStore(openMemoryStore());
  await increment(store, true);
  await store.commit([{ key, version: null }], [{ key, value: "9" }]);
  await store.list("p", undefined, 10);
  expect(operations).toEqual([
    { call: "get", reads: ["p/counter"], writes: [] },
    { call: "commit", reads: ["p/counter"], writes: ["p/counter"] },
    { call: "commit", reads: ["p/counter"], writes: [] },
    { call: "list", reads: ["p/counter"], writes: [] },
  ]);
  await store.close();
});
