/** A list's order is that of the sort keys' UTF-8 bytes: not of UTF-16, not of any language. */
import fc from "fast-check";
import { expect } from "vitest";
import { maxCommitKeys } from "../../../shared/store/port.ts";
import { put, type Suite, walk } from "../conformance.ts";

// U+FF5E comes before U+1F600 in UTF-8, and after it in UTF-16.
const sorts =
  "! # % %2F %2f & ' / // a a! a# a/ a/b a0 aa A Z z Ä é e\u0301 ~ \u007f \u0080 日 日本 ～ \ue000 😀 10 9 _ - .";

export function orderCases({ test }: Suite): void {
  test("entries are listed in the order of their UTF-8 bytes", async ({ store, partition }) => {
    const name = partition();
    const keys = [...sorts.split(" "), " ", "a b", "\u0001", '"', "a\\"];
    await put(store, name, Object.fromEntries(keys.map((sort) => [sort, "{}"])));
    expect((await walk(store, name)).map(([sort]) => sort)).toEqual(keys.toSorted(byBytes));
    expect((await walk(store, name, 3)).map(([sort]) => sort)).toEqual(keys.toSorted(byBytes));
  });

  test("so they are for any sort keys, and each is found by get", async ({ store, partition, runs }) => {
    const sort = fc.string({ unit: "binary", minLength: 1, maxLength: 8 }).filter((text) => !text.includes("\0"));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(sort, { minLength: 1, maxLength: maxCommitKeys }), async (keys) => {
        const name = partition();
        await put(store, name, Object.fromEntries(keys.map((key) => [`${key}`, JSON.stringify(key)])));
        expect((await walk(store, name, 7)).map(([key]) => key)).toEqual(keys.toSorted(byBytes));
        for (const key of keys) {
          expect((await store.get({ partition: name, sort: key }))?.value).toBe(JSON.stringify(key));
        }
      }),
      { numRuns: runs(30) },
    );
  });
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
