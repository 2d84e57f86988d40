/**
 * POST /store: the store itself, for an operator's commands (operator.ts) where nothing else can reach it: a Durable
 * Object's, or the file of a process that runs. One operation of the store's port a request, within the port's limits.
 */
import type { Context } from "hono";
import * as v from "valibot";
import { EntranceError } from "../shared/model/error.ts";
import { parseWith } from "../shared/model/parse.ts";
import type { Store } from "../shared/store/port.ts";
import { readJson } from "./body.ts";
import type { Door } from "./door.ts";

/** A commit's values may double when they are JSON within JSON, and keys come on top. */
const maxBytes = 4 * 1024 * 1024;

const key = v.strictObject({ partition: v.string(), sort: v.string() });
const call = v.variant("call", [
  v.strictObject({ call: v.literal("get"), key }),
  v.strictObject({ call: v.literal("list"), partition: v.string(), after: v.optional(v.string()), limit: v.number() }),
  v.strictObject({
    call: v.literal("commit"),
    checks: v.array(v.strictObject({ key, version: v.nullable(v.string()) })),
    writes: v.array(v.strictObject({ key, value: v.nullable(v.string()) })),
  }),
]);

export async function storeDoor(door: Door, context: Context): Promise<Response> {
  // A page of the web that a browser on this machine shows may send other types to loopback, and this one not.
  if (!/^application\/json\b/.test(context.req.header("content-type") ?? "")) {
    throw new EntranceError("invalid", "the content-type must be application/json");
  }
  const parsed = parseWith(call, await readJson(context.req.raw, maxBytes));
  if (!parsed.ok) throw new EntranceError("invalid", parsed.reason);
  return context.json({ result: (await answer(door.entrance.context.store, parsed.value)) ?? null });
}

function answer(store: Store, asked: v.InferOutput<typeof call>): Promise<unknown> {
  switch (asked.call) {
    case "get":
      return store.get(asked.key);
    case "list":
      return store.list(asked.partition, asked.after, asked.limit);
    case "commit":
      return store.commit(asked.checks, asked.writes);
  }
}
