/** GET /healthz and /readyz. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { type HeardSurvey, surveyHeard } from "../shared/reconcile/heard.ts";
import { frozenBalancers, surveyClosed } from "../shared/reconcile/survey.ts";
import type { Door } from "./door.ts";

/** The process answers. */
export function healthz(context: Context): Response {
  return context.text("ok\n");
}

/** The process can do its work: its store answers. Nodes that are away do not count, events are kept for them. */
export async function readyz(door: Door, context: Context): Promise<Response> {
  const { context: entrance } = door.entrance;
  try {
    const [closed, heard, frozen] = await Promise.all([
      surveyClosed(entrance),
      surveyHeard(entrance),
      frozenBalancers(entrance),
    ]);
    const lines = [
      "ok",
      ...(closed === undefined ? [] : [closed]),
      ...frozen.map((name) => `balancer ${name} is frozen: nothing is pushed`),
      ...(heard === undefined ? [] : heardLines(heard, entrance.now())),
    ];
    return context.text(`${lines.join("\n")}\n`);
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
