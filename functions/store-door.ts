/**
 * POST /store: the store itself, for an operator's commands (operator.ts) where nothing else can reach it: a Durable
 * Object's, or the file of a process that runs. One operation of the store's port a request, within the port's limits.
 */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { parseWith } from "../shared/model/parse.ts";
import { answerCall, storeCall } from "../shared/store/call.ts";
import { readJson } from "./body.ts";
import type { Door } from "./door.ts";

/** A commit's values may double when they are JSON within JSON, and keys come on top. */
const maxBytes = 4 * 1024 * 1024;

export async function storeDoor(door: Door, context: Context): Promise<Response> {
  // A page of the web that a browser on this machine shows may send other types to loopback, and this one not.
  if (!/^application\/json\b/.test(context.req.header("content-type") ?? "")) {
    throw new EntranceError("invalid", "the content-type must be application/json");
  }
  const parsed = parseWith(storeCall, await readJson(context.req.raw, maxBytes));
  if (!parsed.ok) throw new EntranceError("invalid", parsed.reason);
  return context.json({ result: (await answerCall(door.entrance.context.store, parsed.value)) ?? null });
}
