/** What every store must do, whatever is behind it. A store's own test file says how to open it, and runs this. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../../shared/store/port.ts";
import { setClockOff } from "../harness/clock.ts";
import { clockCases } from "./cases/clock.ts";
import { commitCases } from "./cases/commit.ts";
import { concurrencyCases } from "./cases/concurrency.ts";
import { entryCases } from "./cases/entries.ts";
import { limitCases } from "./cases/limits.ts";
import { modelCases } from "./cases/model.ts";
import { orderCases } from "./cases/order.ts";
import { pagingCases } from "./cases/paging.ts";

export interface StoreUnderTest {
  readonly name: string;
  /** A client of one and the same store each time. Data of other runs in it do no harm. */
  open(): Promise<Store>;
  /** Why there can be one client only; it then stands for all. */
  readonly oneClient?: string;
  /** Where the clients are not in this process: sets the clock that they see, and returns what it says then. */
  readonly setClockOff?: (ms: number) => Promise<number>;
  /** Each call goes to another process: a quarter of the random runs, since what they are about is here, too. */
  readonly isFar?: true;
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

/** What a case works with. */
export interface Suite {
  test(name: string, run: (suite: Opened) => Promise<void>): void;
}

export interface Opened {
  readonly store: Store;
  /** Several clients of that store. */
  clients(count: number): Promise<readonly Store[]>;
  /** A partition that nobody used before. */
  partition(): string;
  /** The clock that all clients see is so much ahead; below 0, behind. Returns what it says then. */
  setClockOff(ms: number): Promise<number>;
  /** Of random cases. */
  runs(count: number): number;
}

export function runStoreConformance(under: StoreUnderTest): void {
  describe(under.name, () => {
    const opened: Store[] = [];
    async function clients(count: number): Promise<readonly Store[]> {
      while (opened.length < (under.oneClient ? 1 : count)) opened.push(await under.open());
      return Array.from({ length: count }, (_, index) => at(opened, index % opened.length));
    }
    beforeAll(async () => {
      await clients(1);
    });
    afterAll(() => Promise.all(opened.map((store) => store.close())));

    const names = new Set<string>();
    const suite: Suite = {
      test(name, run) {
        names.add(name);
        const exclusion = under.skip?.find(({ tests }) => tests.includes(name));
        if (exclusion) return test.skip(`${name} (${exclusion.reason})`);
        const partition = () => `conformance/${randomUUID()}`;
        const runs = (count: number) => (under.isFar ? Math.ceil(count / 4) : count);
        const { setClockOff = setOwnClockOff } = under;
        test(name, () => run({ store: at(opened, 0), clients, partition, setClockOff, runs }));
      },
    };
    const groups = {
      entryCases,
      commitCases,
      orderCases,
      pagingCases,
      limitCases,
      clockCases,
      modelCases,
      concurrencyCases,
    };
    for (const cases of Object.values(groups)) cases(suite);

    test("each exclusion names a test", () => {
      const excluded = (under.skip ?? []).flatMap(({ tests }) => tests);
      expect(excluded.filter((name) => !names.has(name))).toEqual([]);
    });
  });
}

async function setOwnClockOff(ms: number): Promise<number> {
  setClockOff(ms);
  return Date.now();
}

/** The item, which must exist. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index} of ${items.length}`);
  return item;
}

/** Writes entries of one partition without any check; gives the version. */
export async function put(store: Store, partition: string, values: Record<string, string | null>): Promise<string> {
  const writes = Object.entries(values).map(([sort, value]) => ({ key: { partition, sort }, value }));
  const result = await store.commit([], writes);
  if (!result.ok) throw new Error("a commit without checks was refused");
  return result.version;
}

/** All values of a partition, in the store's order. */
export async function walk(store: Store, partition: string, limit = 1_000): Promise<[sort: string, value: string][]> {
  const found: [string, string][] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.list(partition, after, limit);
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    for (const entry of page.entries) {
      expect(entry.key.partition).toBe(partition);
      found.push([entry.key.sort, entry.value]);
    }
    if (page.next === undefined) return found;
    after = page.next;
  }
}
