/** Single reads that are asked for in one moment go to the store in one request: a round trip costs more than a key. */
import type { Entry, Key } from "./port.ts";

/** What was found of each key, in their order. */
export type ReadKeys = (keys: readonly Key[]) => Promise<readonly (Entry | undefined)[]>;

/** The largest values together are 14 MB: DynamoDB answers with 16 at most, and so does what asks etcd. */
const maxKeys = 40;

interface Waiting {
  readonly key: Key;
  readonly found: PromiseWithResolvers<Entry | undefined>;
}

export class GatheredReads {
  readonly #read: ReadKeys;
  #waiting = new Map<string, Waiting>();

  constructor(read: ReadKeys) {
    this.#read = read;
  }

  /** Sent once everything that can go on by itself now has done so. Fails as the request fails that it is part of. */
  get(key: Key): Promise<Entry | undefined> {
    // NUL is in no key, so this text is one key's only.
    const name = `${key.partition}\0${key.sort}`;
    const known = this.#waiting.get(name);
    if (known !== undefined) return known.found.promise;
    if (this.#waiting.size === 0) queueMicrotask(() => this.#send());
    const found = Promise.withResolvers<Entry | undefined>();
    this.#waiting.set(name, { key, found });
    if (this.#waiting.size === maxKeys) this.#send();
    return found.promise;
  }

  #send(): void {
    const asked = [...this.#waiting.values()];
    if (asked.length === 0) return;
    this.#waiting = new Map();
    this.#read(asked.map(({ key }) => key)).then(
      (entries) => {
        for (const [index, { found }] of asked.entries()) found.resolve(entries[index]);
      },
      (error: unknown) => {
        for (const { found } of asked) found.reject(error);
      },
    );
  }
}
