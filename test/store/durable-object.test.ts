/** A SQLite Durable Object as a store, in a real workerd. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { put, runStoreConformance, walk } from "./conformance.ts";
import { remoteStore, setRemoteClockOff } from "./remote-store.ts";

const directory = mkdtempSync(join(tmpdir(), "entrance-durable-object-"));
let workerd: Miniflare;

async function start(): Promise<Miniflare> {
  const entry = fileURLToPath(new URL("durable-object.worker.ts", import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  return new Miniflare({
    cf: false,
    modules: true,
    script: outputFiles.map(({ text }) => text).join(""),
    compatibilityDate: "2026-07-30",
    durableObjects: { STORE: { className: "StoreObject", useSQLite: true } },
    durableObjectsPersist: directory,
  });
}

beforeAll(async () => {
  workerd = await start();
});
afterAll(async () => {
  await workerd.dispose();
  rmSync(directory, { recursive: true });
});

runStoreConformance({
  name: "a SQLite Durable Object",
  open: async () => remoteStore(await workerd.ready),
  setClockOff: async (ms) => setRemoteClockOff(await workerd.ready, ms),
});

test("a write that fails undoes those before it", async () => {
  const store = remoteStore(await workerd.ready);
  await put(store, "poison", { a: "before" });
  await expect(put(store, "poison", { a: "after", b: "poison" })).rejects.toMatchObject({
    code: "unavailable",
    message: "the embedded store: disk I/O error",
  });
  expect(await walk(store, "poison")).toEqual([["a", "before"]]);
});

test("entries and versions survive a restart of workerd", async () => {
  const before = remoteStore(await workerd.ready);
  const versions = new Set([await put(before, "restart", { a: "1" }), await put(before, "restart", { b: "2" })]);
  await put(before, "restart", { b: null });
  const entry = await before.get({ partition: "restart", sort: "a" });
  await workerd.dispose();
  workerd = await start();
  const after = remoteStore(await workerd.ready);
  expect(await after.get({ partition: "restart", sort: "a" })).toEqual(entry);
  expect(versions).not.toContain(await put(after, "restart", { b: "3" }));
  expect(await walk(after, "restart")).toEqual([
    ["a", "1"],
    ["b", "3"],
  ]);
});
