/** Calls any Entrance as an apiserver does: a review once, an event until somebody has acknowledged it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../simulate/random.ts";
import { eventList } from "../../simulate/wire.ts";

/** As the webhook configurations say. */
const reviewMs = 3_000;
const auditMs = 30_000;
const flushMs = 40;
const maxBatches = 4;
/** Before it comes again; an apiserver waits for 10 s. */
const firstPauseMs = 100;
const maxPauseMs = 2_000;
/** One in so many: events that are told twice. */
const doubled = 20;

export class Webhooks {
  retries = 0;
  /** Answers that no webhook should give. */
  readonly faults: string[] = [];
  /** All that was ever answered. */
  readonly answers: string[] = [];
  /** What was said last to who is to come again. */
  lastRefusal = "";
  readonly #random: Random;
  /** Any of them. */
  readonly #url: () => string;
  #events: { readonly event: object; readonly onTold: () => void }[] = [];
  #batches = 0;

  constructor(random: Random, url: () => string) {
    this.#random = random;
    this.#url = url;
  }

  /** Nobody who answers in time means yes: `failurePolicy: Ignore`. */
  async isAllowed(body: object, mustBeAsked: boolean): Promise<boolean> {
    for (let pauseMs = firstPauseMs; ; pauseMs = await this.#pause(pauseMs)) {
      const answer = await this.#post("/admission", body, reviewMs);
      if (answer !== undefined) return (answer as { response: { allowed: boolean } }).response.allowed;
      if (!mustBeAsked) return true;
    }
  }

  /** Resolves when it is acknowledged. */
  tell(event: object): Promise<void> {
    return new Promise((resolve) => {
      const told = { event, onTold: resolve };
      if (this.#random.one(doubled)) this.#events.push(told);
      this.#events.push(told);
      this.#flushSoon();
    });
  }

  /** Several batches at a time, so that they overtake each other. */
  #flushSoon(): void {
    if (this.#batches === maxBatches || this.#events.length === 0) return;
    this.#batches += 1;
    setTimeout(() => void this.#flush(), flushMs);
  }

  async #flush(): Promise<void> {
    const batch = this.#events;
    this.#events = [];
    if (batch.length > 0) await this.#deliver(eventList(batch.map(({ event }) => event)));
    for (const { onTold } of batch) onTold();
    this.#batches -= 1;
    this.#flushSoon();
  }

  async #deliver(body: object): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = await this.#pause(pauseMs)) {
      const counts = await this.#post("/audit", body, auditMs);
      if (counts === undefined) continue;
      if ((counts as { unusable: number }).unusable !== 0) this.faults.push(`unusable: ${JSON.stringify(counts)}`);
      return;
    }
  }

  /** Returns how long the next one is. */
  async #pause(ms: number): Promise<number> {
    this.retries += 1;
    await sleep(this.#random.between(ms / 2, ms));
    return Math.min(ms * 2, maxPauseMs);
  }

  /** Undefined: come again. */
  async #post(path: string, body: object, withinMs: number): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(withinMs);
      const answer = await fetch(this.#url() + path, { method: "POST", body: JSON.stringify(body), signal });
      const text = await answer.text();
      this.answers.push(text);
      if (answer.status === 200) return JSON.parse(text);
      this.lastRefusal = text;
      if (answer.status !== 503) this.faults.push(`${path}: ${answer.status} ${text}`);
    } catch (error) {
      // Nobody there, or an answer that broke off.
      this.lastRefusal = String(error);
    }
    return undefined;
  }
}
