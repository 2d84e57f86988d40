/** Clients that write to the same few keys at once, and what each was told. */
import { EntranceError } from "../../shared/model/error.ts";
import type { Key, Store } from "../../shared/store/port.ts";
import { pausedStore } from "../harness/paused-store.ts";
import { at } from "./conformance.ts";
import { History } from "./history.ts";
import type { Operation } from "./linearizability.ts";

/**
 * Each client does `count` operations: reads, lists, and commits that check what it last saw, now and then without
 * a check. Its every call stands still for a random moment before and after it takes effect.
 * Values are unique. The same seed makes the same choices; the store's timing is its own.
 */
export async function runWorkload(
  clients: readonly Store[],
  partition: string,
  count: number,
  seed: number,
): Promise<Operation[]> {
  const keys: Key[] = ["a", "b", "c"].map((sort) => ({ partition, sort }));
  keys.push({ partition: `${partition}/other`, sort: "d" });
  const history = new History(keys);

  async function client(plain: Store, number: number): Promise<void> {
    const random = randomOf(seed * 1_000 + number);
    const chance = (share: number) => random() < share;
    const some = () => keys.filter(() => chance(0.4));
    const paused = pausedStore(plain, String(number), async () => {
      for (let wait = Math.floor(random() * 4); wait > 0; wait--) await new Promise(setImmediate);
    });
    const store = history.recorded(paused, number);
    const known = new Map<Key, string | null>(keys.map((key) => [key, null]));
    for (let step = 0; step < count; step++) {
      if (chance(0.3)) {
        const key = at(keys, Math.floor(random() * keys.length));
        const read = await answered(store.get(key));
        if (read !== undefined) known.set(key, read.found?.version ?? null);
      } else if (chance(0.15)) {
        const read = await answered(store.list(partition, undefined, 10));
        const page = read?.found;
        if (page === undefined) continue;
        for (const key of keys.filter((each) => each.partition === partition)) {
          known.set(key, page.entries.find((entry) => entry.key.sort === key.sort)?.version ?? null);
        }
      } else {
        const checks = some().map((key) => ({ key, version: known.get(key) ?? null }));
        const writes = some().map((key) => ({ key, value: chance(0.2) ? null : `"${number}:${step}:${key.sort}"` }));
        if (checks.length + writes.length === 0) continue;
        await commit(store, checks, writes, known);
      }
    }
  }

  await Promise.all(clients.map(client));
  return history.operations();
}

async function commit(
  store: Store,
  checks: Parameters<Store["commit"]>[0],
  writes: Parameters<Store["commit"]>[1],
  known: Map<Key, string | null>,
): Promise<void> {
  try {
    const result = await store.commit(checks, writes);
    if (result.ok) {
      for (const { key, value } of writes) known.set(key, value === null ? null : result.version);
    } else {
      for (const key of known.keys()) {
        if (result.conflicts.some((each) => each.partition === key.partition && each.sort === key.sort)) {
          known.set(key, (await store.get(key))?.version ?? null);
        }
      }
    }
  } catch (error) {
    // Uncertain: recorded as unknown, the next read tells. Unavailable or busy: it did not happen.
    if (!(error instanceof EntranceError && lossy.has(error.code))) throw error;
  }
}

const lossy = new Set<string>(["uncertain", "unavailable", "busy"]);

/** What a read finds, or nothing where the store did not answer. */
async function answered<T>(read: Promise<T>): Promise<{ found: T } | undefined> {
  try {
    return { found: await read };
  } catch (error) {
    if (!(error instanceof EntranceError && lossy.has(error.code))) throw error;
    return undefined;
  }
}

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
