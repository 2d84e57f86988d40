/** A commit is all or nothing, and its checks decide. */
import { expect } from "vitest";
import { put, type Suite, walk } from "../conformance.ts";

export function commitCases({ test }: Suite): void {
  test("absence holds for what is not there only", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const create = () => store.commit([{ key, version: null }], [{ key, value: "1" }]);
    expect(await create()).toMatchObject({ ok: true });
    expect(await create()).toEqual({ ok: false, conflicts: [key] });
    await put(store, key.partition, { a: null });
    expect(await create()).toMatchObject({ ok: true });
  });

  test("a version holds until the next write", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const first = await put(store, key.partition, { a: "1" });
    const second = await store.commit([{ key, version: first }], [{ key, value: "2" }]);
    expect(second).toMatchObject({ ok: true });
    expect(await store.commit([{ key, version: first }], [{ key, value: "3" }])).toEqual({
      ok: false,
      conflicts: [key],
    });
    expect((await store.get(key))?.value).toBe("2");
  });

  test("writing the same value again is a new version", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const first = await put(store, key.partition, { a: "1" });
    await put(store, key.partition, { a: "1" });
    expect(await store.commit([{ key, version: first }], [{ key, value: "2" }])).toEqual({
      ok: false,
      conflicts: [key],
    });
  });

  test("a version never comes back, not even after a delete", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const versions = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const version = await put(store, key.partition, { a: "1" });
      expect(versions.has(version)).toBe(false);
      versions.add(version);
      await put(store, key.partition, { a: null });
      for (const old of versions) {
        expect(await store.commit([{ key, version: old }], [])).toEqual({ ok: false, conflicts: [key] });
      }
    }
  });

  test("a version that never was does not hold", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const version = await put(store, key.partition, { a: "1" });
    for (const other of [`${version}0`, `${version} `, `0${version}`, "", "null", "-1"]) {
      expect(await store.commit([{ key, version: other }], [{ key, value: "2" }])).toEqual({
        ok: false,
        conflicts: [key],
      });
    }
  });

  test("checks alone write nothing and leave versions as they are", async ({ store, partition }) => {
    const name = partition();
    const [a, b] = [
      { partition: name, sort: "a" },
      { partition: name, sort: "b" },
    ];
    const version = await put(store, name, { a: "1" });
    const checks = [
      { key: a, version },
      { key: b, version: null },
    ];
    expect(await store.commit(checks, [])).toMatchObject({ ok: true });
    expect(await store.commit(checks, [])).toMatchObject({ ok: true });
    expect(await store.get(a)).toEqual({ key: a, value: "1", version });
    expect(await store.get(b)).toBeUndefined();
  });

  test("a check may guard the writes of other keys", async ({ store, partition }) => {
    const name = partition();
    const lock = { partition: name, sort: "lock" };
    const version = await put(store, name, { lock: "mine" });
    const work = [{ key: { partition: `${name}/log`, sort: "1" }, value: "{}" }];
    expect(await store.commit([{ key: lock, version }], work)).toMatchObject({ ok: true });
    await put(store, name, { lock: "yours" });
    const later = [{ key: { partition: `${name}/log`, sort: "2" }, value: "{}" }];
    expect(await store.commit([{ key: lock, version }], later)).toEqual({ ok: false, conflicts: [lock] });
    expect(await walk(store, `${name}/log`)).toEqual([["1", "{}"]]);
  });

  test("a check and a deletion of one key are one action", async ({ store, partition }) => {
    const key = { partition: partition(), sort: "a" };
    const version = await put(store, key.partition, { a: "1" });
    expect(await store.commit([{ key, version: null }], [{ key, value: null }])).toEqual({
      ok: false,
      conflicts: [key],
    });
    expect(await store.commit([{ key, version }], [{ key, value: null }])).toMatchObject({ ok: true });
    expect(await store.get(key)).toBeUndefined();
  });

  test("all writes of a commit have its version", async ({ store, partition }) => {
    const name = partition();
    const version = await put(store, name, { a: "1", b: "2", c: "3" });
    const page = await store.list(name, undefined, 10);
    expect(page.entries.map((entry) => entry.version)).toEqual([version, version, version]);
  });

  test("one check that fails: nothing is written, and every failed check is named", async ({ store, partition }) => {
    const name = partition();
    const key = (sort: string) => ({ partition: name, sort });
    const old = await put(store, name, { a: "1", b: "1", c: "1", d: "1" });
    await put(store, name, { b: "2", c: null });
    const result = await store.commit(
      [
        { key: key("a"), version: old },
        { key: key("b"), version: old },
        { key: key("c"), version: old },
        { key: key("d"), version: null },
        { key: key("e"), version: null },
      ],
      [
        { key: key("a"), value: "9" },
        { key: key("d"), value: null },
        { key: key("e"), value: "9" },
        { key: key("f"), value: "9" },
      ],
    );
    expect(result).toEqual({ ok: false, conflicts: expect.arrayContaining([key("b"), key("c"), key("d")]) });
    expect(result.ok || result.conflicts).toHaveLength(3);
    expect(await walk(store, name)).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["d", "1"],
    ]);
  });

  test("a commit spans partitions", async ({ store, partition }) => {
    const [one, two] = [partition(), partition()];
    const writes = [one, two].map((name) => ({ key: { partition: name, sort: "a" }, value: name }));
    expect(await store.commit([], writes)).toMatchObject({ ok: true });
    expect([await walk(store, one), await walk(store, two)]).toEqual([[["a", one]], [["a", two]]]);
  });
}
