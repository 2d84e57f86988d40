/** What a Node process offers beside requests: tracked work after the answer, and a timer. */
import type { Host } from "../shared/reconcile/settings.ts";

export class NodeHost implements Host {
  readonly #running = new Set<Promise<void>>();
  #wake: (() => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;

  onWake(wake: () => Promise<void>): void {
    this.#wake = wake;
  }

  after(work: () => Promise<void>): void {
    const promise = work()
      .catch((error: unknown) => warn("work after an answer failed", error))
      .finally(() => this.#running.delete(promise));
    this.#running.add(promise);
  }

  wakeAt(timeMs: number): void {
    if (timeMs >= this.#due) return;
    this.#due = timeMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#due = Number.POSITIVE_INFINITY;
        const wake = this.#wake;
        if (wake !== undefined) this.after(wake);
      },
      Math.max(0, timeMs - Date.now()),
    );
  }

  /** Resolves when nothing is under way any more; the timer is off from then on. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    clearTimeout(this.#timer);
  }
}

function warn(what: string, error: unknown): void {
  console.warn(`entrance: ${what}: ${error instanceof Error ? error.message : String(error)}`);
}
