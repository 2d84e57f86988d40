/** A store inside a worker, offered over HTTP to the tests outside (remote-store.ts). */
import { EntranceError } from "../../shared/model/error.ts";
import type { Check, Key, Store, Write } from "../../shared/store/port.ts";

export type Call =
  | { readonly call: "get"; readonly key: Key }
  | { readonly call: "list"; readonly partition: string; readonly after?: string | undefined; readonly limit: number }
  | { readonly call: "commit"; readonly checks: readonly Check[]; readonly writes: readonly Write[] };

export async function serveStore(request: Request, store: Store): Promise<Response> {
  try {
    return Response.json({ result: await answer(store, (await request.json()) as Call) });
  } catch (error) {
    if (!(error instanceof EntranceError)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 400 });
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
