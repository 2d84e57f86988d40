/** A worker whose one Durable Object offers its store over HTTP, for the tests. */
import { EntranceError } from "../../shared/model/error.ts";
import { type DurableObjectStorage, openDurableObjectStore } from "../../shared/store/durable-object.ts";
import type { Check, Key, Store, Write } from "../../shared/store/port.ts";

export type Call =
  | { readonly call: "get"; readonly key: Key }
  | { readonly call: "list"; readonly partition: string; readonly after?: string | undefined; readonly limit: number }
  | { readonly call: "commit"; readonly checks: readonly Check[]; readonly writes: readonly Write[] };

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

  async fetch(request: Request): Promise<Response> {
    try {
      return Response.json({ result: await answer(this.#store, (await request.json()) as Call) });
    } catch (error) {
      if (!(error instanceof EntranceError)) throw error;
      return Response.json({ code: error.code, message: error.message }, { status: 400 });
    }
  }
}

function answer(store: Store, asked: Call): Promise<unknown> {
  switch (asked.call) {
    case "get":
      return store.get(asked.key);
    case "list":
      return store.list(asked.partition, asked.after, asked.limit);
    case "commit":
      return store.commit(asked.checks, asked.writes);
  }
}

interface Environment {
  readonly STORE: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

export default {
  fetch: (request: Request, { STORE }: Environment) => STORE.getByName("store").fetch(request),
};
