/** The embedded store in a SQLite Durable Object. */
import { openEmbeddedStore } from "./embedded.ts";
import type { Store } from "./port.ts";
import type { Row } from "./sql.ts";

/** The members of `ctx.storage` used here: only an entry may import the platform's own types. */
export interface DurableObjectStorage {
  readonly sql: {
    exec(statement: string, ...bindings: readonly (string | number)[]): { toArray(): readonly Row[] };
  };
  transactionSync<T>(work: () => T): T;
}

/**
 * The platform keeps one object of a name alive, caches statements by their text, and holds back every answer and
 * request of the object until what was written before is durable.
 */
export function openDurableObjectStore(storage: DurableObjectStorage): Store {
  return openEmbeddedStore({
    query: (statement, ...bindings) => storage.sql.exec(statement, ...bindings).toArray(),
    transaction: (work) => storage.transactionSync(work),
    close() {},
  });
}
