/** POST /resync: the timer's work, now. */
import type { Context } from "hono";
import type { Door } from "./door.ts";

export async function resync(door: Door, context: Context): Promise<Response> {
  await door.entrance.tick();
  return context.json({ repaired: true, list: listIsOff });
}

export const listIsOff = "off: no Kubernetes API is configured, so what no webhook told is not found";
