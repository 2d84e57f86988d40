/** A whole partition. For partitions that hold what belongs to one object, never for what a cluster has. */
import { type Entry, maxPageSize, type Store } from "../store/port.ts";

export async function listAll(store: Pick<Store, "list">, partition: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(partition, after, maxPageSize);
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
}
