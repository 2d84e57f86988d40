/** GET /healthz and /readyz. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { lockKey } from "../shared/reconcile/keys.ts";
import type { Door } from "./door.ts";

/** The process answers. */
export function healthz(context: Context): Response {
  return context.text("ok\n");
}

/** The process can do its work: its store answers. Nodes that are away do not count, events are kept for them. */
export async function readyz(door: Door, context: Context): Promise<Response> {
  try {
    await door.entrance.context.store.get(lockKey);
  } catch (cause) {
    throw new EntranceError("unavailable", "the store does not answer", { cause, retryAfterSeconds: 1 });
  }
  return context.text("ok\n");
}
