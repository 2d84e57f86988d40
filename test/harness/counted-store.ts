/** A store that remembers which keys were read and written: what one change costs, whatever the machine. */
import { keyText, type Store } from "../../shared/store/port.ts";

export interface Operation {
  readonly call: "get" | "list" | "commit";
  /** Keys read or checked, found or not; of a list those found. */
  readonly reads: readonly string[];
  /** Keys written or deleted; none if a check did not hold. */
  readonly writes: readonly string[];
}

/** `operations` grows in the order in which the calls end; failed calls are not in it. Empty it at will. */
export function countedStore(store: Store): { readonly store: Store; readonly operations: Operation[] } {
  const operations: Operation[] = [];
  return {
    operations,
    store: {
      async get(key) {
        const entry = await store.get(key);
        operations.push({ call: "get", reads: [keyText(key)], writes: [] });
        return entry;
      },
      async list(partition, after, limit) {
        const page = await store.list(partition, after, limit);
        operations.push({ call: "list", reads: page.entries.map(({ key }) => keyText(key)), writes: [] });
        return page;
      },
      async commit(checks, writes) {
        const result = await store.commit(checks, writes);
        operations.push({
          call: "commit",
          reads: checks.map(({ key }) => keyText(key)),
          writes: result.ok ? writes.map(({ key }) => keyText(key)) : [],
        });
        return result;
      },
      close: () => store.close(),
    },
  };
}
