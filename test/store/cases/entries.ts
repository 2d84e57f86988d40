/** One entry at a time: what was written is read, whatever text it is. */
import { expect } from "vitest";
import { maxValueBytes } from "../../../shared/store/port.ts";
import { put, type Suite, walk } from "../conformance.ts";

const texts: Record<string, string> = {
  "a JSON object": '{"a":[1,2.5,null,true],"b":"c"}',
  "quotes and backslashes": `'"\\\`'';--"`,
  "line ends and tabs": "a\r\nb\tc\n",
  "a NUL": "before\0after",
  "other control characters": "\u0001\u0008\u001b\u007f\u0085",
  "emoji and other planes": "😀👩‍👩‍👧‍👦𝒳🇩🇪",
  "combining, right to left": "e\u0301 é אבג",
  "the last characters of the plane": "\ufffd\ufffe\uffff\ufeff",
  "a number": "12345678901234567890.10",
  "what SQL could take for something else": "NULL",
  placeholders: "? :a $1 %s {0}",
  "an empty text": "",
};

export function entryCases({ test }: Suite): void {
  test("an absent key reads as undefined", async ({ store, partition }) => {
    expect(await store.get({ partition: partition(), sort: "a" })).toBeUndefined();
  });

  test("an entry reads as it was written, with the commit's version", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const version = await put(store, key.partition, { a: "1" });
    expect(await store.get(key)).toEqual({ key, value: "1", version });
    expect(await store.list(key.partition, undefined, 10)).toEqual({
      entries: [{ key, value: "1", version }],
      next: undefined,
    });
  });

  test("a later write replaces the value and the version", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const first = await put(store, key.partition, { a: "1" });
    const second = await put(store, key.partition, { a: "2" });
    expect(second).not.toBe(first);
    expect(await store.get(key)).toEqual({ key, value: "2", version: second });
  });

  test("a deleted entry is gone from get and list", async ({ store, partition }) => {
    const name = partition();
    await put(store, name, { a: "1", b: "2" });
    await put(store, name, { a: null });
    expect(await store.get({ partition: name, sort: "a" })).toBeUndefined();
    expect(await walk(store, name)).toEqual([["b", "2"]]);
  });

  test("deleting what is not there is no error", async ({ store, partition }) => {
    const name = partition();
    await put(store, name, { a: null, b: "2" });
    expect(await walk(store, name)).toEqual([["b", "2"]]);
  });

  test("every kind of text comes back as it was", async ({ store, partition }) => {
    const name = partition();
    await put(store, name, texts);
    for (const [sort, value] of Object.entries(texts)) {
      expect((await store.get({ partition: name, sort }))?.value, sort).toBe(value);
    }
    expect(Object.fromEntries(await walk(store, name))).toEqual(texts);
  });

  test("keys that are read in one moment each read as they are, the same twice and absent ones too", async (suite) => {
    const { store, partition } = suite;
    const name = partition();
    const sorts = Array.from({ length: 150 }, (_, index) => `k${index}`);
    for (let start = 0; start < 150; start += 30) {
      await put(store, name, Object.fromEntries(sorts.slice(start, start + 30).map((sort) => [sort, `"${sort}"`])));
    }
    const asked = [...sorts, "absent", "k7", "absent"];
    const found = await Promise.all(asked.map((sort) => store.get({ partition: name, sort })));
    expect(found.map((entry) => entry?.value)).toEqual([
      ...sorts.map((sort) => `"${sort}"`),
      undefined,
      '"k7"',
      undefined,
    ]);
  });

  test("large values that are read in one moment", async (suite) => {
    const { store, partition } = suite;
    const name = partition();
    const sorts = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const values = sorts.map((_, index) => JSON.stringify(String(index).padStart(maxValueBytes - 2, "x")));
    for (const [index, sort] of sorts.entries()) await put(store, name, { [sort]: values[index] ?? "" });
    const found = await Promise.all(sorts.map((sort) => store.get({ partition: name, sort })));
    expect(found.map((entry) => entry?.value === values[Number(entry?.key.sort.slice(1))])).toEqual(
      sorts.map(() => true),
    );
  });

  test("partitions do not mix, however alike their names", async ({ store, partition }) => {
    const name = partition();
    const names = ["", "/", "/b", "%2Fb", "%", "_", "#", "*", " ", "B", "b", "bb", "b/c", "é", "e\u0301"].map(
      (end) => name + end,
    );
    for (const each of names) await put(store, each, { "b/c": each, c: each });
    for (const each of names) {
      expect(await walk(store, each)).toEqual([
        ["b/c", each],
        ["c", each],
      ]);
    }
  });
}
