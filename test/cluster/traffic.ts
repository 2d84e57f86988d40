/** Requests all the while that something is done which nobody may notice. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Counted {
  readonly requests: number;
  /** Each answer that was not 200, its status or its fault, and how often it came. */
  readonly wrong: readonly (readonly [answer: string, times: number])[];
}

export class Traffic {
  readonly #wrong = new Map<string, number>();
  readonly #all: Promise<unknown>;
  #requests = 0;
  #isOver = false;

  /** `ask` tells the status of an answer. */
  constructor(ask: () => Promise<number>, { clients = 4, pauseMs = 0 }: { clients?: number; pauseMs?: number } = {}) {
    const client = async (): Promise<void> => {
      while (!this.#isOver) {
        const answer = await ask().then(String, String);
        this.#requests += 1;
        if (answer !== "200") this.#wrong.set(answer, (this.#wrong.get(answer) ?? 0) + 1);
        if (pauseMs > 0) await sleep(pauseMs);
      }
    };
    this.#all = Promise.all(Array.from({ length: clients }, client));
  }

  async stop(): Promise<Counted> {
    this.#isOver = true;
    await this.#all;
    return { requests: this.#requests, wrong: [...this.#wrong] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
