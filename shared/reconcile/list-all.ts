/** A whole partition. For partitions that hold what belongs to one object, never for what a cluster has. */
import { entriesOf } from "../store/entries.ts";
import type { Entry, Store } from "../store/port.ts";

export async function listAll(store: Pick<Store, "list">, partition: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of entriesOf(store, partition)) entries.push(entry);
  return entries;
}
