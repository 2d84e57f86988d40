/** What a Lambda offers beside requests: nothing after its answer, since it stands still from then on. */
import type { HeldLock } from "../shared/reconcile/lock.ts";
import type { Host } from "../shared/reconcile/settings.ts";

/** Work after an answer. All of it is durable as marks and hints, which a tick finds; a lock spares the next one's wait. */
export interface Left {
  readonly locks: HeldLock[];
  wantsTick: boolean;
}

/** One sandbox has one event at a time. */
export class LambdaHost implements Host {
  readonly standsStill = true;
  readonly #running = new Set<Promise<void>>();
  #left: Left | undefined;
  #endsAt = Number.POSITIVE_INFINITY;
  #wakeAt = Number.POSITIVE_INFINITY;

  after(work: () => Promise<void>, lock?: HeldLock): void {
    if (this.#left !== undefined) {
      if (lock !== undefined) this.#left.locks.push(lock);
      else this.#left.wantsTick = true;
      return;
    }
    const promise = work()
      .catch((error: unknown) => {
        console.warn(
          `entrance: work after an answer failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      })
      .finally(() => this.#running.delete(promise));
    this.#running.add(promise);
  }

  /** This event's work is to be at its end by then, in ms since 1970. */
  endsAt(timeMs: number): void {
    this.#endsAt = timeMs;
  }

  isOutOfTime(): boolean {
    return Date.now() >= this.#endsAt;
  }

  wakeAt(timeMs: number): void {
    this.#wakeAt = Math.min(this.#wakeAt, timeMs);
  }

  /** Somebody waits for the answer: what is to be done after it comes back with it, and has not begun. */
  async answering<T>(work: () => Promise<T>): Promise<{ answer: T; left: Left }> {
    const left: Left = { locks: [], wantsTick: false };
    this.#left = left;
    try {
      return { answer: await work(), left };
    } finally {
      this.#left = undefined;
    }
  }

  /** No promise may be under way when a Lambda answers. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** When the next tick is wanted, in ms since 1970; the wish is forgotten. */
  takeWake(): number {
    const wake = this.#wakeAt;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    return wake;
  }
}
