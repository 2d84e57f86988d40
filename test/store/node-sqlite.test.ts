/** node:sqlite as a store, and what only a file can show: processes that die, a disk that is full. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openEmbeddedStore } from "../../shared/store/embedded.ts";
import { openMemoryStore, openNodeStore, sqlOf } from "../../shared/store/node-sqlite.ts";
import { maxPageSize, maxValueBytes, type Store } from "../../shared/store/port.ts";
import { at, put, runStoreConformance, walk } from "./conformance.ts";

const directory = mkdtempSync(join(tmpdir(), "entrance-store-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const freshPath = () => join(directory, String(++files), "new", "store.db");

const oneClient = "one process has the embedded store, and its connection serves all";
runStoreConformance({ name: "node:sqlite in memory", open: async () => openMemoryStore(), oneClient });
runStoreConformance({ name: "node:sqlite in a file", open: async () => openNodeStore(freshPath()), oneClient });

describe("a file", () => {
  test("keeps entries, versions and their order over a restart", async () => {
    const path = freshPath();
    const key = { partition: "p", sort: "a" };
    let store = openNodeStore(path);
    const first = await put(store, "p", { a: "1" });
    const last = await put(store, "p", { b: "2" });
    await put(store, "p", { b: null });
    await store.close();
    store = openNodeStore(path);
    expect(await store.get(key)).toEqual({ key, value: "1", version: first });
    const next = await put(store, "p", { b: "3" });
    expect([first, last]).not.toContain(next);
    await store.close();
  });

  test("and its directories are for their owner only", async () => {
    const path = freshPath();
    const store = openNodeStore(path);
    await put(store, "p", { a: "1" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await store.close();
  });

  test("that is no store, or a later one, is refused and left alone", async () => {
    const path = freshPath();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "something else entirely, long enough for a header of SQLite's hundred bytes.".repeat(3));
    expect(() => openNodeStore(path)).toThrow(/store.db cannot be used: file is not a database/);

    const later = freshPath();
    await openNodeStore(later).close();
    const database = new DatabaseSync(later);
    database.exec("UPDATE store SET format = 2");
    database.close();
    // Twice: the refusal lets go of the file.
    for (let time = 0; time < 2; time++) expect(() => openNodeStore(later)).toThrow(/format 2.*run the newer Entrance/);
  });

  test("that cannot be made is named", () => {
    const path = freshPath();
    mkdirSync(dirname(dirname(path)), { recursive: true });
    writeFileSync(dirname(path), "a file where the directory should be");
    expect(() => openNodeStore(path)).toThrow(`the store's file ${path} cannot be used`);
  });

  test("closed, answers unavailable", async () => {
    const store = openNodeStore(freshPath());
    await store.close();
    await expect(store.get({ partition: "p", sort: "a" })).rejects.toMatchObject({ code: "unavailable" });
    await expect(put(store, "p", { a: "1" })).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("processes", () => {
  const children = new Set<ChildProcess>();
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  /** What the process acknowledged, and what it said, until it ended. */
  function startCommitter(path: string, limit = "") {
    const script = fileURLToPath(new URL("committer.ts", import.meta.url));
    const command = `${limit} exec "$0" "$@"`;
    const child = spawn("sh", ["-c", command, process.execPath, script, path, limit ? "20000" : "100"]);
    children.add(child);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]).then(([out, said]) => {
      children.delete(child);
      return { acknowledged: out.split("\n").slice(0, -1).map(Number), said };
    });
    return { child, ended, first: once(child.stdout, "data") };
  }

  test("killed in the middle of commits, again and again: all that was acknowledged is there, nothing is torn", async () => {
    const path = freshPath();
    const versions = new Set<string>();
    let total = 0;
    for (let round = 0; round < 8; round++) {
      const { child, ended, first } = startCommitter(path);
      await first;
      await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 150));
      child.kill("SIGKILL");
      const { acknowledged } = await ended;
      expect(acknowledged).toEqual(acknowledged.map((_, index) => total + 1 + index));
      const store = openNodeStore(path);
      const last = await lastOf(store);
      // The last one may have been committed and not yet printed.
      expect(last - (acknowledged.at(-1) ?? 0)).toBeLessThanOrEqual(1);
      expect(last).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0);
      for (const side of ["left", "right"]) {
        const found = await walk(store, side);
        expect(found.map(([sort]) => Number(sort)).sort((a, b) => a - b)).toEqual(
          Array.from({ length: last }, (_, index) => index + 1),
        );
        for (const [sort, value] of found) expect(value.startsWith(`${sort} v`)).toBe(true);
      }
      const version = await put(store, "round", { [String(round)]: "{}" });
      expect(versions.has(version)).toBe(false);
      versions.add(version);
      await store.close();
      total = last;
    }
    expect(total).toBeGreaterThan(100);
  });

  test("a second one is refused with what to change, and the first goes on", async () => {
    const path = freshPath();
    const first = startCommitter(path);
    await first.first;
    const { said, acknowledged } = await startCommitter(path).ended;
    expect(acknowledged).toEqual([]);
    expect(said).toBe(
      `misconfigured: another process holds ${path}, and the embedded store means exactly one: stop that process, ` +
        "or give each its own file, or set ENTRANCE_STORE to a store that processes share (etcd, dynamodb)\n",
    );
    expect(() => openNodeStore(path)).toThrow(/another process holds/);
    first.child.kill("SIGKILL");
    expect((await first.ended).said).toBe("");
    // No lock outlives its holder.
    const store = openNodeStore(path);
    expect(await lastOf(store)).toBeGreaterThan(0);
    await store.close();
  });

  test("of several that start at once one gets a new file", async () => {
    const path = freshPath();
    const all = Array.from({ length: 4 }, () => startCommitter(path));
    const refused = await Promise.all(
      all.map(({ ended, first, child }) => Promise.race([ended.then(() => 1), first.then(() => child)])),
    );
    const holders = refused.filter((each) => typeof each !== "number");
    expect(holders).toHaveLength(1);
    at(holders, 0).kill("SIGKILL");
    await Promise.all(all.map(({ ended }) => ended));
  });

  test("an I/O error is unavailable, and what was there before stays", async () => {
    const path = freshPath();
    // Blocks of 512 bytes: the file may not grow beyond 2 MB, which SQLite sees as a failed write.
    const { acknowledged, said } = await startCommitter(path, "ulimit -f 4000;").ended;
    expect(said).toMatch(/^unavailable: the embedded store: (disk I\/O error|database or disk is full)/);
    expect(acknowledged.length).toBeGreaterThan(5);
    const store = openNodeStore(path);
    expect(await lastOf(store)).toBe(acknowledged.at(-1));
    expect(await walk(store, "left")).toHaveLength(acknowledged.length);
    await store.close();
  });
});

test("a full disk is unavailable and changes nothing; once there is room, all goes on", async () => {
  const database = new DatabaseSync(":memory:");
  const store = openEmbeddedStore(sqlOf(database));
  await put(store, "p", { a: "before", b: "before" });
  const pages = database.prepare("PRAGMA page_count").get()?.["page_count"];
  database.exec(`PRAGMA max_page_count = ${Number(pages) + 4}`);
  await expect(put(store, "p", { a: "after", b: null, c: "v".repeat(100_000) })).rejects.toMatchObject({
    name: "EntranceError",
    code: "unavailable",
    message: "the embedded store: database or disk is full",
    cause: { errcode: 13 },
  });
  expect(await walk(store, "p")).toEqual([
    ["a", "before"],
    ["b", "before"],
  ]);
  database.exec("PRAGMA max_page_count = 100000");
  await put(store, "p", { a: "after", c: "v".repeat(100_000) });
  expect(await walk(store, "p", 1)).toHaveLength(3);
  await store.close();
});

test("a write that fails undoes those before it", async () => {
  const sql = sqlOf(new DatabaseSync(":memory:"));
  const store = openEmbeddedStore({
    ...sql,
    query(statement, ...bindings) {
      if (bindings.at(-1) === "poison") throw new Error("disk I/O error");
      return sql.query(statement, ...bindings);
    },
  });
  const version = await put(store, "p", { a: "before" });
  await expect(put(store, "p", { a: "after", b: "poison" })).rejects.toMatchObject({ code: "unavailable" });
  expect(await store.list("p", undefined, 10)).toMatchObject({ entries: [{ value: "before", version }] });
  await put(store, "p", { b: "after" });
  await store.close();
});

test("a page of large values ends early, so that no list fills the memory", async () => {
  const store = openMemoryStore();
  for (let sort = 10; sort < 50; sort++) await put(store, "p", { [sort]: "v".repeat(maxValueBytes) });
  const page = await store.list("p", undefined, maxPageSize);
  expect(page.entries.length).toBeGreaterThan(1);
  expect(page.entries.length).toBeLessThan(40);
  expect(page.next).toBe(page.entries.at(-1)?.key.sort);
  await store.close();
});

async function lastOf(store: Store): Promise<number> {
  return Number((await store.get({ partition: "counter", sort: "last" }))?.value ?? "0");
}
