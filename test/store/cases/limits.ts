/** Limits: what is just inside is taken, what is just outside is refused with what to change, and nothing is written. */
import { expect } from "vitest";
import type { ErrorCode } from "../../../shared/model/error.ts";
import {
  maxCommitBytes,
  maxCommitKeys,
  maxPageSize,
  maxPartitionBytes,
  maxSortBytes,
  maxValueBytes,
  type Write,
} from "../../../shared/store/port.ts";
import { put, type Suite, walk } from "../conformance.ts";

export function limitCases({ test }: Suite): void {
  test("the largest commit: every key both checked and written", async ({ store, partition }) => {
    const writes = keys(partition(), maxCommitKeys);
    const checks = writes.map(({ key }) => ({ key, version: null }));
    expect(await store.commit(checks, writes)).toMatchObject({ ok: true });
    expect(await store.commit(checks, writes)).toEqual({ ok: false, conflicts: writes.map(({ key }) => key) });
  });

  test("one key more is refused, written or checked", async ({ store, partition }) => {
    const name = partition();
    await refused(store.commit([], keys(name, maxCommitKeys + 1)), "too-large", /at most 40 keys.*41/);
    const check = { key: { partition: name, sort: "other" }, version: null };
    await refused(store.commit([check], keys(name, maxCommitKeys)), "too-large", /at most 40 keys.*41/);
    expect(await walk(store, name)).toEqual([]);
  });

  test("the largest value, counted in bytes", async ({ store, partition }) => {
    const name = partition();
    for (const text of ["v", "é", "日", "😀"]) {
      const size = Buffer.byteLength(text);
      const value = text.repeat(Math.floor(maxValueBytes / size)) + "v".repeat(maxValueBytes % size);
      await put(store, name, { a: value });
      expect((await store.get({ partition: name, sort: "a" }))?.value === value, text).toBe(true);
      await refused(put(store, name, { b: "{}", a: `${value}v` }), "too-large", /350001 bytes; the limit is 350000/);
    }
    expect((await walk(store, name)).map(([sort]) => sort)).toEqual(["a"]);
  });

  test("the largest commit in bytes", async ({ store, partition }) => {
    const name = partition();
    const value = "v".repeat(maxCommitBytes / 4);
    await put(store, name, { a: value, b: value, c: value, d: value });
    expect((await walk(store, name)).every(([, text]) => text === value)).toBe(true);
    await refused(put(store, name, { a: "", b: value, c: value, d: value, e: `${value}v` }), "too-large", /1000001/);
    expect((await walk(store, name)).map(([sort]) => sort)).toEqual(["a", "b", "c", "d"]);
  });

  test("the largest key, counted in bytes", async ({ store, partition }) => {
    const name = partition().padEnd(maxPartitionBytes, "p");
    const sort = "é".repeat(maxSortBytes / 2);
    await put(store, name, { [sort]: "{}" });
    expect(await store.get({ partition: name, sort })).toMatchObject({ value: "{}" });
    expect(await walk(store, name)).toEqual([[sort, "{}"]]);
    await refused(store.get({ partition: name, sort: `${sort}x` }), "too-large", /sort key has 1025 bytes/);
    await refused(store.get({ partition: `${name}x`, sort }), "too-large", /partition has 2049 bytes/);
  });

  test("pages of no or too many entries are refused", async ({ store, partition }) => {
    const name = partition();
    for (const limit of [0, -1, 1.5, Number.NaN, maxPageSize + 1]) {
      await refused(store.list(name, undefined, limit), "invalid", /1 to 1000/);
    }
  });

  test("an empty key, NUL and half a character are refused, wherever a key stands", async ({ store, partition }) => {
    const name = partition();
    for (const [bad, says] of [
      ["", /empty/],
      ["a\0b", /NUL/],
      ["a\ud800", /surrogate/],
    ] as const) {
      await refused(store.get({ partition: bad, sort: "a" }), "invalid", says);
      await refused(store.get({ partition: name, sort: bad }), "invalid", says);
      await refused(store.list(bad, undefined, 1), "invalid", says);
      await refused(store.list(name, bad, 1), "invalid", says);
      await refused(put(store, name, { a: "1", [bad]: "1" }), "invalid", says);
      await refused(
        store.commit([{ key: { partition: bad, sort: "a" }, version: null }], keys(name, 1)),
        "invalid",
        says,
      );
    }
    await refused(put(store, name, { a: null, b: "half \udc00" }), "invalid", /surrogate/);
    expect(await walk(store, name)).toEqual([]);
  });

  test("a key checked twice or written twice is refused, and so is a commit of nothing", async ({
    store,
    partition,
  }) => {
    const key = { partition: partition(), sort: "a" };
    await refused(
      store.commit(
        [],
        [
          { key, value: "1" },
          { key: { ...key }, value: "2" },
        ],
      ),
      "invalid",
      /written twice/,
    );
    const checks = [
      { key, version: null },
      { key: { ...key }, version: "1" },
    ];
    await refused(store.commit(checks, [{ key, value: "1" }]), "invalid", /checked twice/);
    await refused(store.commit([], []), "invalid", /at least one/);
    expect(await store.get(key)).toBeUndefined();
  });
}

function keys(partition: string, count: number): Write[] {
  return Array.from({ length: count }, (_, index) => ({
    key: { partition, sort: String(index).padStart(3, "0") },
    value: "{}",
  }));
}

async function refused(outcome: Promise<unknown>, code: ErrorCode, says: RegExp): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ name: "EntranceError", code, message: expect.stringMatching(says) });
}
