/** What happened, as a number that two runs can be compared by, and for people as lines. */
import type { Time } from "./time.ts";

export class Trace {
  readonly #time: Time;
  readonly #print: ((line: string) => void) | undefined;
  #hash = 0x811c9dc5;

  constructor(time: Time, print: ((line: string) => void) | undefined) {
    this.#time = time;
    this.#print = print;
  }

  add(who: string, what: string): void {
    // FNV-1a over the code units; the time as well, in thousandths of a millisecond.
    let hash = (this.#hash ^ Math.round(this.#time.nowMs * 1_000)) >>> 0;
    for (const text of [who, what]) {
      for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    this.#hash = hash >>> 0;
    this.#print?.(`${(this.#time.nowMs / 1_000).toFixed(4).padStart(10)} s  ${who.padEnd(10)} ${what}`);
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, "0");
  }
}
