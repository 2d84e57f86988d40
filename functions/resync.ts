/** POST /resync: the timer's work and a LIST of everything, now. */
import type { Context } from "hono";
import { listSoon } from "../shared/reconcile/list-tick.ts";
import type { Door } from "./door.ts";

export async function resync(door: Door, context: Context): Promise<Response> {
  if (door.entrance.context.kubernetes !== undefined) await listSoon(door.entrance.context);
  await door.entrance.tick();
  return context.json({ repaired: true, list: listIs(door) });
}

export function listIs(door: Door): string {
  return door.entrance.context.kubernetes === undefined ? listIsOff : "on";
}

const listIsOff = "off: no Kubernetes API is configured, so what no webhook told is not found";
