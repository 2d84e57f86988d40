/** One operation of the store's port as JSON, for a store that is reached over HTTP. */
import * as v from "valibot";
import type { Store } from "./port.ts";

const key = v.strictObject({ partition: v.string(), sort: v.string() });

export const storeCall = v.variant("call", [
  v.strictObject({ call: v.literal("get"), key }),
  v.strictObject({ call: v.literal("list"), partition: v.string(), after: v.optional(v.string()), limit: v.number() }),
  v.strictObject({
    call: v.literal("commit"),
    checks: v.array(v.strictObject({ key, version: v.nullable(v.string()) })),
    writes: v.array(v.strictObject({ key, value: v.nullable(v.string()) })),
  }),
]);

export type StoreCall = v.InferOutput<typeof storeCall>;

/** Throws what the store throws. */
export function answerCall(store: Store, asked: StoreCall): Promise<unknown> {
  switch (asked.call) {
    case "get":
      return store.get(asked.key);
    case "list":
      return store.list(asked.partition, asked.after, asked.limit);
    case "commit":
      return store.commit(asked.checks, asked.writes);
  }
}
