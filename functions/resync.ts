/**
 * POST /resync: the timer's work now, and a LIST of everything from now on: the log, and `heard` of the status, tell what
 * becomes of that.
 */
import type { Context } from "hono";
import { listSoon } from "../shared/reconcile/list-tick.ts";
import { drain } from "./body.ts";
import type { Door } from "./door.ts";

export async function resync(door: Door, context: Context): Promise<Response> {
  // It needs none, and a client may send one.
  if (context.req.raw.body !== null) await drain(context.req.raw);
  if (door.entrance.context.kubernetes !== undefined) await listSoon(door.entrance.context);
  await door.entrance.tick();
  return context.json({ repaired: true, list: listIs(door) });
}

export function listIs(door: Door): string {
  return door.entrance.context.kubernetes === undefined ? listIsOff : "on";
}

const listIsOff = "off: no Kubernetes API is configured, so what no webhook told is not found";
