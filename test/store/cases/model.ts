/** Random sequences of operations, compared step by step with a Map. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Check, Key, Write } from "../../../shared/store/port.ts";
import { at, type Suite, walk } from "../conformance.ts";
import { byBytes } from "./order.ts";

const sorts = ["a", "a/b", "b", "é", "～", "😀"];
const partitionCount = 2;
const slots = partitionCount * sorts.length;

const slot = fc.nat(slots - 1);
/** Which version a check names: of those that the key ever had, counted back from now; 0 is what it has now. */
const check = fc.record({ slot, back: fc.constantFrom(0, 0, 0, 0, 1, 2) });
const write = fc.record({
  slot,
  value: fc.oneof({ weight: 3, arbitrary: fc.json() }, { weight: 1, arbitrary: fc.constant(null) }),
});
const operation = fc.oneof(
  fc.record({ call: fc.constant("get"), slot }),
  fc.record({
    call: fc.constant("list"),
    partition: fc.nat(partitionCount - 1),
    after: fc.option(fc.constantFrom(...sorts), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 7 }),
  }),
  fc.record({
    call: fc.constant("commit"),
    checks: fc.uniqueArray(check, { selector: (each) => each.slot, maxLength: 4 }),
    writes: fc.uniqueArray(write, { selector: (each) => each.slot, minLength: 1, maxLength: 4 }),
  }),
);

interface Cell {
  value: string | null;
  /** null: absent. The last one is now's. */
  readonly versions: (string | null)[];
}

export function modelCases({ test }: Suite): void {
  test("any sequence of operations does what a Map would do", async ({ store, partition, runs }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40, size: "max" }), async (operations) => {
        const names = Array.from({ length: partitionCount }, partition);
        const keyOf = (index: number): Key => ({
          partition: at(names, Math.floor(index / sorts.length)),
          sort: at(sorts, index % sorts.length),
        });
        const cells = Array.from({ length: slots }, (): Cell => ({ value: null, versions: [null] }));
        const given = new Set<string>();

        const entryOf = (index: number) => {
          const { value, versions } = at(cells, index);
          return value === null ? undefined : { key: keyOf(index), value, version: versions.at(-1) };
        };
        const listOf = (partitionIndex: number) =>
          sorts
            .map((_, index) => entryOf(partitionIndex * sorts.length + index))
            .filter((entry) => entry !== undefined)
            .sort((a, b) => byBytes(a.key.sort, b.key.sort));

        for (const each of operations) {
          if (each.call === "get") {
            expect(await store.get(keyOf(each.slot))).toEqual(entryOf(each.slot));
          } else if (each.call === "list") {
            const { after } = each;
            const page = await store.list(at(names, each.partition), after, each.limit);
            const rest = listOf(each.partition).filter(
              ({ key }) => after === undefined || byBytes(key.sort, after) > 0,
            );
            expect(page.entries).toEqual(rest.slice(0, each.limit));
            if (rest.length > each.limit) expect(page.next).toBeDefined();
          } else {
            const checks = each.checks.map(({ slot, back }): Check => {
              const { versions } = at(cells, slot);
              return { key: keyOf(slot), version: versions.at(-1 - back) ?? null };
            });
            const conflicts = each.checks
              .filter(({ slot }, index) => at(checks, index).version !== (at(cells, slot).versions.at(-1) ?? null))
              .map(({ slot }) => keyOf(slot));
            const writes = each.writes.map(({ slot, value }): Write => ({ key: keyOf(slot), value }));
            const result = await store.commit(checks, writes);
            if (!result.ok) {
              expect(result.conflicts.toSorted(byKey)).toEqual(conflicts.toSorted(byKey));
              expect(conflicts).not.toEqual([]);
              continue;
            }
            expect(conflicts).toEqual([]);
            expect(given).not.toContain(result.version);
            given.add(result.version);
            for (const { slot, value } of each.writes) {
              const cell = at(cells, slot);
              cell.value = value;
              cell.versions.push(value === null ? null : result.version);
            }
          }
        }
        for (const [index, name] of names.entries()) {
          expect(await walk(store, name, 5)).toEqual(listOf(index).map(({ key, value }) => [key.sort, value]));
        }
      }),
      { numRuns: runs(100) },
    );
  });
}

function byKey(a: Key, b: Key): number {
  return byBytes(a.partition, b.partition) || byBytes(a.sort, b.sort);
}
