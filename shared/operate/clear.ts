/** Takes away what a store has of Entrance, but for its lock. */
import {
  headPartition,
  heardPartition,
  logPartition,
  nodesPartition,
  rulesKey,
  tickPartition,
} from "../reconcile/keys.ts";
import { entriesOf } from "../store/entries.ts";
import type { Store, Write } from "../store/port.ts";
import { writeAll } from "./batch.ts";
import { carried } from "./carried.ts";

/** What others are found by goes after them, so that whatever breaks off can be begun anew. */
export async function clear(store: Store, balancers: readonly string[]): Promise<void> {
  await writeAll(store, removals(carried(store)));
  for (const balancer of balancers) await clearBalancer(store, balancer);
  for (const partition of [tickPartition, heardPartition, headPartition]) {
    await writeAll(store, removals(entriesOf(store, partition)));
  }
  await store.commit([], [{ key: rulesKey, value: null }]);
}

/** Its history and what is known of its nodes, but for its head. */
export async function clearBalancer(store: Store, balancer: string): Promise<void> {
  await writeAll(store, removals(entriesOf(store, logPartition(balancer))));
  await writeAll(store, removals(entriesOf(store, nodesPartition(balancer))));
}

async function* removals(entries: AsyncIterable<Pick<Write, "key">>): AsyncGenerator<Write> {
  for await (const { key } of entries) yield { key, value: null };
}
