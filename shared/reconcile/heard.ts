/** When the cluster was last heard: a webhook that fails open fails silently, so somebody must be able to see it. */
import type { Entry } from "../store/port.ts";
import { heardKey } from "./keys.ts";
import { lastWholeList } from "./list-tick.ts";
import type { Context } from "./settings.ts";

export type Way = "review" | "audit";

/** Ms since 1970; undefined: never yet. */
export interface HeardSurvey {
  readonly review: number | undefined;
  readonly audit: number | undefined;
  readonly list: number | undefined;
}

/** Each copy writes it down so often: an apiserver mostly talks to one of them, and all are to know. */
const everyMs = 30_000;

export class Heard {
  readonly #context: Context;
  readonly #noted = new Map<Way, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Beside the answer, which waits for it where nothing goes on after one. Never rejects. */
  note(way: Way): Promise<void> | undefined {
    const { store, host, now, kubernetes } = this.#context;
    const at = now();
    if (kubernetes === undefined || at - (this.#noted.get(way) ?? 0) < everyMs) return undefined;
    this.#noted.set(way, at);
    const write = async () => {
      await store.commit([], [{ key: heardKey(way), value: String(at) }]);
    };
    if (host.standsStill) {
      // It is for people, and denies nobody anything.
      return write().catch(() => undefined);
    }
    host.after(write);
    return undefined;
  }
}

export async function surveyHeard(context: Context): Promise<HeardSurvey | undefined> {
  if (context.kubernetes === undefined) return undefined;
  const [review, audit, list] = await Promise.all([
    context.store.get(heardKey("review")).then(readTime),
    context.store.get(heardKey("audit")).then(readTime),
    lastWholeList(context),
  ]);
  return { review, audit, list: list === 0 ? undefined : list };
}

function readTime(entry: Entry | undefined): number | undefined {
  return entry === undefined ? undefined : Number(entry.value);
}
