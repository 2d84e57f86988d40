/** The checker itself: it agrees with trying every order, and finds stores that are broken in one place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Entry, Store } from "../../shared/store/port.ts";
import { keyText } from "../../shared/store/port.ts";
import { type Content, checkLinearizable, type Operation } from "./linearizability.ts";
import { runWorkload } from "./workload.ts";

describe("small histories", () => {
  const read = (start: number, end: number, found: Content, key = "a"): Operation => ({
    client: 0,
    start,
    end,
    action: { kind: "read", key, found },
  });
  const commit = (
    start: number,
    end: number,
    expects: [string, Content][],
    writes: [string, Content][],
    outcome: "ok" | "unknown" | string[] = "ok",
  ): Operation => ({
    client: 0,
    start,
    end,
    action: { kind: "commit", expects: new Map(expects), writes: new Map(writes), outcome },
  });
  const cases: [string, boolean, Operation[]][] = [
    ["nothing", true, []],
    ["a write, then its read", true, [commit(1, 2, [], [["a", "x"]]), read(3, 4, "x")]],
    ["a stale read", false, [commit(1, 2, [], [["a", "x"]]), read(3, 4, null)]],
    ["a read during the write, before it", true, [commit(1, 4, [], [["a", "x"]]), read(2, 3, null)]],
    ["a read during the write, after it", true, [commit(1, 4, [], [["a", "x"]]), read(2, 3, "x")]],
    ["new, then old, during one write", false, [commit(1, 6, [], [["a", "x"]]), read(2, 3, "x"), read(4, 5, null)]],
    [
      "half a commit",
      false,
      [
        commit(
          1,
          6,
          [],
          [
            ["a", "x"],
            ["b", "y"],
          ],
        ),
        read(2, 3, "x"),
        read(4, 5, null, "b"),
      ],
    ],
    ["two winners", false, [commit(1, 4, [["a", null]], [["a", "x"]]), commit(2, 3, [["a", null]], [["a", "y"]])]],
    ["one winner", true, [commit(1, 4, [["a", null]], [["a", "x"]]), commit(2, 3, [["a", null]], [["a", "y"]], ["a"])]],
    ["a conflict without a reason", false, [commit(1, 2, [["a", null]], [["a", "x"]], ["a"])]],
    [
      "a conflict not named",
      false,
      [
        commit(
          1,
          2,
          [
            ["a", "x"],
            ["b", "y"],
          ],
          [],
          ["a"],
        ),
      ],
    ],
    [
      "unknown, and it happened",
      true,
      [commit(1, Infinity, [], [["a", "x"]], "unknown"), read(2, 3, null), read(4, 5, "x")],
    ],
    [
      "unknown, and it did not",
      true,
      [commit(1, Infinity, [], [["a", "x"]], "unknown"), read(2, 3, null), read(4, 5, null)],
    ],
    [
      "unknown, and it came undone",
      false,
      [commit(1, Infinity, [], [["a", "x"]], "unknown"), read(2, 3, "x"), read(4, 5, null)],
    ],
  ];
  test.each(cases)("%s: %s", (_, ok, history) => {
    expect(checkLinearizable(history).ok).toBe(ok);
    expect(someOrderExplains(history)).toBe(ok);
  });

  test("the search agrees with trying every order", () => {
    const content = fc.constantFrom(null, "x", "y");
    const key = fc.constantFrom("a", "b");
    const pairs = fc.uniqueArray(fc.tuple(key, content), { selector: ([name]) => name, maxLength: 2 });
    const outcome = fc.constantFrom<("ok" | "unknown" | string[])[]>("ok", "ok", "ok", "unknown", ["a"], ["a", "b"]);
    const any = fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 12 })).chain(([start, length]) =>
      fc.oneof(
        fc.tuple(content, key).map(([found, name]) => read(start, start + length, found, name)),
        fc
          .tuple(pairs, pairs, outcome)
          .map(([expects, writes, how]) =>
            commit(start, how === "unknown" ? Infinity : start + length, expects, writes, how),
          ),
      ),
    );
    let explained = 0;
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (history) => {
        const ok = someOrderExplains(history);
        if (ok) explained++;
        expect(checkLinearizable(history).ok).toBe(ok);
      }),
      { numRuns: 2_000 },
    );
    expect(explained).toBeGreaterThan(200);
    expect(explained).toBeLessThan(1_900);
  });
});

/** By definition, slowly: every order of every choice of what was never answered. */
function someOrderExplains(left: readonly Operation[], state: ReadonlyMap<string, string> = new Map()): boolean {
  if (left.every(({ end }) => end === Infinity)) return true;
  return left.some((operation) => {
    if (left.some((other) => other.end < operation.start)) return false;
    const { action } = operation;
    const after = new Map(state);
    if (action.kind === "read") {
      if ((state.get(action.key) ?? null) !== action.found) return false;
    } else {
      const conflicts = [...action.expects]
        .filter(([key, value]) => (state.get(key) ?? null) !== value)
        .map(([key]) => key);
      const told = action.outcome === "ok" || action.outcome === "unknown" ? [] : action.outcome.toSorted();
      if (JSON.stringify(conflicts.sort()) !== JSON.stringify(told)) return false;
      if (Array.isArray(action.outcome) && conflicts.length === 0) return false;
      if (conflicts.length === 0) {
        for (const [key, value] of action.writes) value === null ? after.delete(key) : after.set(key, value);
      }
    }
    return someOrderExplains(
      left.filter((other) => other !== operation),
      after,
    );
  });
}

describe("a store that is broken now and then is found", () => {
  /** Every so many calls. */
  const every = (count: number) => {
    let calls = 0;
    return () => ++calls % count === 0;
  };
  const later = () => new Promise(setImmediate);

  const broken: Record<string, (store: Store) => Store> = {
    "reads what was true before the last write": (store) => {
      const before = new Map<string, Entry | undefined>();
      const now = every(20);
      return {
        ...store,
        async get(key) {
          return now() && before.has(keyText(key)) ? before.get(keyText(key)) : store.get(key);
        },
        async commit(checks, writes) {
          const old = await Promise.all(writes.map(({ key }) => store.get(key)));
          const result = await store.commit(checks, writes);
          if (result.ok) for (const [index, { key }] of writes.entries()) before.set(keyText(key), old[index]);
          return result;
        },
      };
    },
    "lists without the newest entry": (store) => {
      const now = every(5);
      return {
        ...store,
        async list(partition, after, limit) {
          const page = await store.list(partition, after, limit);
          return now() ? { ...page, entries: page.entries.slice(0, -1) } : page;
        },
      };
    },
    "forgets a check": (store) => {
      const now = every(20);
      return {
        ...store,
        commit: (checks, writes) => store.commit(now() && writes.length > 0 ? checks.slice(1) : checks, writes),
      };
    },
    "writes in two steps": (store) => {
      const now = every(5);
      return {
        ...store,
        async commit(checks, writes) {
          if (writes.length < 2 || !now()) return store.commit(checks, writes);
          const first = await store.commit(checks, writes.slice(0, 1));
          if (!first.ok) return first;
          await later();
          return store.commit([], writes.slice(1));
        },
      };
    },
    "checks first and writes later": (store) => {
      const now = every(5);
      return {
        ...store,
        async commit(checks, writes) {
          if (writes.length === 0 || checks.length === 0 || !now()) return store.commit(checks, writes);
          const checked = await store.commit(checks, []);
          await later();
          return checked.ok ? store.commit([], writes) : checked;
        },
      };
    },
    "says conflict after an answer got lost": (store) => {
      const now = every(30);
      return {
        ...store,
        async commit(checks, writes) {
          const result = await store.commit(checks, writes);
          return result.ok && checks.length > 0 && now() ? store.commit(checks, writes) : result;
        },
      };
    },
    "loses an acknowledged write": (store) => {
      const now = every(40);
      return {
        ...store,
        async commit(checks, writes) {
          return now() && writes.length > 0 ? store.commit(checks, []) : store.commit(checks, writes);
        },
      };
    },
    "names one conflict of several": (store) => ({
      ...store,
      async commit(checks, writes) {
        const result = await store.commit(checks, writes);
        return result.ok ? result : { ok: false, conflicts: result.conflicts.slice(0, 1) };
      },
    }),
  };

  async function verdicts(store: Store): Promise<boolean[]> {
    const found: boolean[] = [];
    for (const seed of [1, 2, 3]) {
      try {
        const operations = await runWorkload(Array(8).fill(store), `seed-${seed}`, 200, seed);
        found.push(checkLinearizable(operations).ok);
      } catch {
        // One version with two values, or one value with two versions.
        found.push(false);
      }
    }
    await store.close();
    return found;
  }

  test.each(Object.entries(broken))("%s", async (_, breakIt) => {
    expect(await verdicts(breakIt(openMemoryStore()))).toEqual([false, false, false]);
  });

  test("and one that is not is not", async () => {
    expect(await verdicts(openMemoryStore())).toEqual([true, true, true]);
  });
});
