/** Going through a partition page by page, also while it changes. */
import { expect } from "vitest";
import type { Store } from "../../../shared/store/port.ts";
import { maxCommitBytes, maxCommitKeys, maxPageSize, maxValueBytes } from "../../../shared/store/port.ts";
import { put, type Suite, walk } from "../conformance.ts";

const count = 25;
const sorts = Array.from({ length: count }, (_, index) => String(index).padStart(4, "0"));

export function pagingCases({ test }: Suite): void {
  test("an empty partition is one empty page", async ({ store, partition }) => {
    expect(await store.list(partition(), undefined, 10)).toEqual({ entries: [], next: undefined });
  });

  test("pages of every size hold each entry once, in order", async ({ store, partition }) => {
    const name = await filled(store, partition());
    for (const limit of [1, 2, 7, count - 1, count, count + 1, maxPageSize]) {
      expect((await walk(store, name, limit)).map(([sort]) => sort)).toEqual(sorts);
    }
  });

  test("after is exclusive and need not exist", async ({ store, partition }) => {
    const name = await filled(store, partition());
    const after = async (sort: string) => (await store.list(name, sort, 1)).entries[0]?.key.sort;
    expect(await after("0003")).toBe("0004");
    expect(await after("0003x")).toBe("0004");
    expect(await after("/")).toBe("0000");
    expect(await after("0023")).toBe("0024");
    expect(await after("0024")).toBeUndefined();
    expect(await store.list(name, "0024", 10)).toEqual({ entries: [], next: undefined });
  });

  test("a page may end where the entries that followed were deleted", async ({ store, partition }) => {
    const name = await filled(store, partition());
    const first = await store.list(name, undefined, 10);
    await put(store, name, Object.fromEntries(sorts.slice(10).map((sort) => [sort, null])));
    expect(await store.list(name, first.next ?? "0009", 10)).toEqual({ entries: [], next: undefined });
  });

  test("entries deleted and added while paging disturb no other", async ({ store, partition }) => {
    const name = await filled(store, partition());
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.list(name, after, 4);
      seen.push(...page.entries.map(({ key }) => key.sort));
      if (page.next === undefined) break;
      after = page.next;
      // The last one read, one far ahead, and a new one behind and ahead of where we stand.
      const ahead = String(Number(seen.at(-1)) + 2).padStart(4, "0");
      await put(store, name, {
        [seen.at(-1) ?? ""]: null,
        [ahead]: null,
        [`${after.slice(0, 4)}-behind`]: "{}",
        "0000-behind": "{}",
      });
    }
    const own = seen.filter((sort) => sorts.includes(sort));
    expect(own).toEqual([...new Set(own)].sort());
    expect(await walk(store, name)).toHaveLength((await walk(store, name, 1)).length);
    const kept = (await walk(store, name)).map(([sort]) => sort).filter((sort) => sorts.includes(sort));
    expect(seen).toEqual(expect.arrayContaining(kept));
  });

  test("a full page of the largest size, and what follows", async ({ store, partition }) => {
    const name = partition();
    const many = Array.from({ length: maxPageSize + 5 }, (_, index) => String(index).padStart(6, "0"));
    for (let from = 0; from < many.length; from += 40) {
      await put(store, name, Object.fromEntries(many.slice(from, from + 40).map((sort) => [sort, "{}"])));
    }
    expect((await walk(store, name)).map(([sort]) => sort)).toEqual(many);
  });

  test("10,000 entries are gone through in order", async ({ store, partition }) => {
    const name = partition();
    const many = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(6, "0"));
    const commits: Promise<string>[] = [];
    for (let from = 0; from < many.length; from += maxCommitKeys) {
      const values = Object.fromEntries(many.slice(from, from + maxCommitKeys).map((sort) => [sort, `{"n":${from}}`]));
      commits.push(put(store, name, values));
      if (from % 1_000 === 0) commits.push(put(store, `${name}/more`, values));
      if (commits.length >= 20) await Promise.all(commits.splice(0));
    }
    await Promise.all(commits);
    expect((await walk(store, name)).map(([sort]) => sort)).toEqual(many);
    const page = await store.list(name, "009989", maxPageSize);
    expect(page.entries.map(({ key }) => key.sort)).toEqual(many.slice(9_990));
  });

  test("pages of the largest values come in full", async ({ store, partition }) => {
    const name = partition();
    const value = JSON.stringify("v".repeat(maxValueBytes - 2));
    const many = Array.from({ length: 30 }, (_, index) => String(index).padStart(2, "0"));
    const each = Math.floor(maxCommitBytes / maxValueBytes);
    for (let from = 0; from < many.length; from += each) {
      await put(store, name, Object.fromEntries(many.slice(from, from + each).map((sort) => [sort, value])));
    }
    const found = await walk(store, name);
    expect(found.map(([sort]) => sort)).toEqual(many);
    expect(found.every(([, text]) => text === value)).toBe(true);
  });
}

async function filled(store: Store, partition: string): Promise<string> {
  await put(store, partition, Object.fromEntries(sorts.map((sort) => [sort, `{"sort":"${sort}"}`])));
  return partition;
}
