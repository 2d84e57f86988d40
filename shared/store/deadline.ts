/** How long a read or a commit may take across a network, and the pauses in it. */

/** The whole of it: half of a lease, so that who holds the lock can still extend it. */
const deadlineMs = 5_000;
/** With less than this left there is no other attempt. */
const nearMs = 100;

/** By a clock that nobody sets. */
export class Deadline {
  readonly #at = performance.now() + deadlineMs;

  left(): number {
    return Math.max(1, this.#at - performance.now());
  }

  isNear(): boolean {
    return this.left() <= nearMs;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
