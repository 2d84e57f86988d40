/** GET /readyz. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { type HeardSurvey, surveyHeard } from "../shared/reconcile/heard.ts";
import { rulesCheck } from "../shared/reconcile/rules.ts";
import { frozenBalancers, surveyClosed } from "../shared/reconcile/survey.ts";
import type { Door } from "./door.ts";

/**
 * The process can do its work. Nodes that are away do not count, events are kept for them.
 *
 * | the store's rules                | answer                                                          |
 * |----------------------------------|-----------------------------------------------------------------|
 * | cannot be read                   | 503                                                             |
 * | are ours, or older               | 200                                                             |
 * | are newer, or other, since ever  | 503 and why: a rollout that goes wrong stops at its first copy  |
 * | were ours once                   | 200 and why: this copy translates no more, and keeps on hearing |
 */
export class Readiness {
  readonly #door: Door;
  #wasReady = false;

  constructor(door: Door) {
    this.#door = door;
  }

  async answer(context: Context): Promise<Response> {
    const { refusal, lines } = await this.#look();
    if (refusal === undefined) this.#wasReady = true;
    else if (!this.#wasReady) throw refusal;
    return context.text(`${["ok", ...(refusal === undefined ? [] : [refusal.message]), ...lines].join("\n")}\n`);
  }

  async #look() {
    const { context } = this.#door.entrance;
    try {
      const [closed, heard, frozen, refusal] = await Promise.all([
        surveyClosed(context),
        surveyHeard(context),
        frozenBalancers(context),
        rulesCheck(context).then(() => undefined, refusalOf),
      ]);
      const lines = [
        ...(closed === undefined ? [] : [closed]),
        ...frozen.map((name) => `balancer ${name} is frozen: nothing is pushed`),
        ...(heard === undefined ? [] : heardLines(heard, context.now())),
      ];
      return { refusal, lines };
    } catch (cause) {
      throw new EntranceError("unavailable", "the store does not answer", { cause, retryAfterSeconds: 1 });
    }
  }
}

/** Why these rules must not be used. */
function refusalOf(error: unknown): EntranceError {
  if (error instanceof EntranceError && error.code === "misconfigured") return error;
  throw error;
}

/** For people: a cluster that calls nobody is no reason to take this copy away. */
function heardLines(heard: HeardSurvey, now: number): string[] {
  return Object.entries(heard).map(([way, at]) => {
    return `last ${way}: ${at === undefined ? "never" : `${Math.max(0, Math.round((now - at) / 1_000))} s ago`}`;
  });
}
