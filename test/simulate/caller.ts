/**
 * One life of a process that calls others. Its calls take time on the way there and back; it may be frozen, and wake up
 * much later where it stood, or end at any of them and never hear an answer.
 */
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";
import type { Trace } from "./trace.ts";

export interface CallerOptions {
  readonly name: string;
  readonly time: Time;
  readonly random: Random;
  readonly trace: Trace;
  /** Calls of a dead process may still arrive; not where the store lies within it. */
  readonly outlived: boolean;
}

export class Caller {
  readonly name: string;
  isAlive = true;
  /** When it went on after standing still: what it sends then was decided before. */
  thawedAtMs = 0;
  #isFrozen = false;
  readonly #time: Time;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #outlived: boolean;
  readonly #standing: (() => void)[] = [];
  /** After so many more steps: what a fault does to it. */
  #doom: { steps: number; strike: () => void } | undefined;

  constructor(options: CallerOptions) {
    this.name = options.name;
    this.#time = options.time;
    this.#random = options.random;
    this.#trace = options.trace;
    this.#outlived = options.outlived;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Something strikes in the middle of its work, after so many steps. */
  doom(steps: number, strike: () => void): void {
    this.#doom = { steps, strike };
  }

  spare(): void {
    this.#doom = undefined;
  }

  kill(): void {
    this.isAlive = false;
    this.#standing.length = 0;
    this.#doom = undefined;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.thawedAtMs = this.#time.nowMs;
    for (const step of this.#standing.splice(0)) this.#time.after(this.#random.between(0, 1), () => this.go(step));
  }

  /** Goes on in this process: never once it is dead, later while it is frozen. */
  go(step: () => void): void {
    if (!this.isAlive) return;
    if (this.#isFrozen) {
      this.#standing.push(step);
      return;
    }
    const doom = this.#doom;
    if (doom !== undefined) {
      doom.steps -= 1;
      if (doom.steps <= 0) {
        this.#doom = undefined;
        doom.strike();
        if (!this.isAlive) return;
        if (this.#isFrozen) {
          this.#standing.push(step);
          return;
        }
      }
    }
    step();
  }

  /** `effect` happens elsewhere, after the way there; what it gives or throws comes back after the way back. */
  call<T>(what: string, extraMs: number, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#time.after(this.#way() + extraMs, () => {
        // What was on its way when its sender died arrives, or does not.
        if (!this.isAlive && (!this.#outlived || this.#random.one(2))) return;
        let settle: () => void;
        try {
          const result = effect();
          this.#trace.add(this.name, what);
          settle = () => resolve(result);
        } catch (error) {
          this.#trace.add(this.name, `${what}: ${error instanceof Error ? error.message : String(error)}`);
          settle = () => reject(error);
        }
        if (this.#random.one(2)) this.go(settle);
        else this.#time.after(this.#way(), () => this.go(settle));
      });
    });
  }

  /** What it has sent arrives by itself, whatever has become of it. */
  later(waitMs: number, effect: () => void): void {
    this.#time.after(waitMs, () => {
      this.#trace.add(this.name, "what came late arrives");
      effect();
    });
  }

  /** Mostly about a millisecond, now and then much more: that is what brings calls into other orders. */
  #way(): number {
    const kind = this.#random.below(64);
    if (kind === 0) return this.#random.between(50, 400);
    if (kind < 6) return this.#random.between(3, 30);
    return this.#random.between(0.1, 2);
  }
}
