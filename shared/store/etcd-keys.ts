/**
 * Names in etcd: PREFIX NUL PARTITION NUL SORT, in UTF-8. NUL is in none of the three, so each name is one key's, a
 * partition's names lie together, and etcd's order of bytes is the store's.
 */
import type { Key } from "./port.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `commits/…` and `fences/…`: this many of each, see etcd-commit.ts. */
export const slots = 64;

export class EtcdKeys {
  readonly #prefix: string;
  /** The store's own records: no partition is empty. */
  readonly format: Uint8Array;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.format = this.#own("format");
  }

  entry({ partition, sort }: Key): Uint8Array {
    return encoder.encode(`${this.#prefix}\0${partition}\0${sort}`);
  }

  /** From the first key after `after` to the partition's last. */
  range(partition: string, after: string | undefined): { key: Uint8Array; end: Uint8Array } {
    const start = `${this.#prefix}\0${partition}\0`;
    return {
      // What follows a key at once is the same with a NUL behind.
      key: encoder.encode(after === undefined ? start : `${start}${after}\0`),
      end: encoder.encode(`${this.#prefix}\0${partition}\u0001`),
    };
  }

  sortOf(partition: string, name: Uint8Array): string {
    const skipped = encoder.encode(`${this.#prefix}\0${partition}\0`).length;
    return decoder.decode(name.subarray(skipped));
  }

  /** Holds the id of the last commit that used this slot. */
  commitSlot(slot: number): Uint8Array {
    return this.#own(`commits/${slot}`);
  }

  /** Written to keep a commit of this slot from happening any more. */
  fenceSlot(slot: number): Uint8Array {
    return this.#own(`fences/${slot}`);
  }

  /** Who compacted last, and when. */
  get compaction(): Uint8Array {
    return this.#own("compaction");
  }

  #own(name: string): Uint8Array {
    return encoder.encode(`${this.#prefix}\0\0${name}`);
  }
}
