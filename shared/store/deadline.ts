/** How long a read or a commit may take across a network, and the pauses in it. */

/** The whole of it: half of a lease, so that who holds the lock can still extend it. */
const deadlineMs = 5_000;
/** With less than this left there is no other attempt: it would be given up before it can be answered. */
const nearMs = 500;

/** By a clock that nobody sets. */
export class Deadline {
  readonly #at = performance.now() + deadlineMs;

  /** Whole milliseconds: timers of signals take no others. */
  left(): number {
    return Math.max(1, Math.ceil(this.#at - performance.now()));
  }

  isNear(): boolean {
    return this.left() <= nearMs;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
