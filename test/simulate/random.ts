/** A seed's choices. Each part of a simulation draws from a source of its own, so that more of one changes no other. */
import { dice } from "../harness/dice.ts";

export class Random {
  readonly #dice: (sides: number) => number;

  constructor(seed: number) {
    this.#dice = dice(seed);
  }

  /** A whole number from 0 to sides - 1. */
  below(sides: number): number {
    return this.#dice(sides);
  }

  /** True once in so many times. */
  one(inSoMany: number): boolean {
    return this.#dice(inSoMany) === 0;
  }

  /** From low to high, in steps of a thousandth of the range. */
  between(low: number, high: number): number {
    return low + ((high - low) * this.#dice(1_001)) / 1_000;
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error("nothing to choose from");
    return choices[this.#dice(choices.length)] as T;
  }

  some<T>(choices: readonly T[]): T[] {
    return choices.filter(() => this.#dice(2) === 0);
  }

  /** A source for another part. */
  fork(): Random {
    return new Random(this.#dice(0x7fffffff));
  }
}
