/** GET /healthz and /readyz. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { type HeardSurvey, surveyHeard } from "../shared/reconcile/heard.ts";
import { lockKey } from "../shared/reconcile/keys.ts";
import type { Door } from "./door.ts";

/** The process answers. */
export function healthz(context: Context): Response {
  return context.text("ok\n");
}

/** The process can do its work: its store answers. Nodes that are away do not count, events are kept for them. */
export async function readyz(door: Door, context: Context): Promise<Response> {
  const { context: entrance } = door.entrance;
  try {
    await entrance.store.get(lockKey);
    const heard = await surveyHeard(entrance);
    return context.text(["ok", ...(heard === undefined ? [] : heardLines(heard, entrance.now())), ""].join("\n"));
  } catch (cause) {
    throw new EntranceError("unavailable", "the store does not answer", { cause, retryAfterSeconds: 1 });
  }
}

/** For people: a cluster that calls nobody is no reason to take this copy away. */
function heardLines(heard: HeardSurvey, now: number): string[] {
  return Object.entries(heard).map(([way, at]) => {
    return `last ${way}: ${at === undefined ? "never" : `${Math.max(0, Math.round((now - at) / 1_000))} s ago`}`;
  });
}
