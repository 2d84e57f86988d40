/** A whole partition, entry by entry, in order. While others write, it is no picture of one moment. */
import { type Entry, maxPageSize, type Store } from "./port.ts";

export async function* entriesOf(store: Pick<Store, "list">, partition: string): AsyncGenerator<Entry> {
  let after: string | undefined;
  do {
    const page = await store.list(partition, after, maxPageSize);
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}
