/** A worker whose one Durable Object offers its store over HTTP, for the tests. */
import { type DurableObjectStorage, openDurableObjectStore } from "../../shared/store/durable-object.ts";
import type { Store } from "../../shared/store/port.ts";
import { serveStore } from "./served-store.ts";

export class StoreObject {
  readonly #store: Store;

  constructor({ storage }: { readonly storage: DurableObjectStorage }) {
    this.#store = openDurableObjectStore({
      sql: {
        exec(statement, ...bindings) {
          // Stands in for a disk that breaks in the middle of a commit.
          if (bindings.at(-1) === "poison") throw new Error("disk I/O error");
          return storage.sql.exec(statement, ...bindings);
        },
      },
      transactionSync: (work) => storage.transactionSync(work),
    });
  }

  fetch(request: Request): Promise<Response> {
    return serveStore(request, () => this.#store);
  }
}

interface Environment {
  readonly STORE: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

export default {
  fetch: (request: Request, { STORE }: Environment) => STORE.getByName("store").fetch(request),
};
