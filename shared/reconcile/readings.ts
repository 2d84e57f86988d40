/**
 * What a turn has read of the store, so that nothing is read twice, and what is read ahead of its need is there by then.
 *
 * | partition                     | written by         | what was read is good                                     |
 * |-------------------------------|--------------------|-----------------------------------------------------------|
 * | want/, part/, refused, users/ | the lock's holder  | for the whole turn, changed by its own commits            |
 * | seen/                         | observers          | until marks are listed again; for an object's own turn    |
 * |                               |                    | only if it was read after the mark that the turn takes off |
 * |                               |                    | What the commit that took the lock has recorded, and what |
 * |                               |                    | is read beside that list, stands where no other mark is   |
 * | dirty, of contests            | mostly the holder  | as long: an older version takes off no newer mark         |
 */
import { type Entry, type Key, keyText, type Store, type Version, type Write } from "../store/port.ts";
import { dirtyPartition, refusedPartition } from "./keys.ts";
import { listAll } from "./list-all.ts";

/** So much is remembered at most; then all of it is forgotten, and read again where it is needed. */
const maxEntries = 10_000;
const maxUnits = 16_000_000;

export class Readings implements Pick<Store, "get"> {
  readonly #store: Store;
  readonly #entries = new Map<string, Promise<Entry | undefined>>();
  readonly #lists = new Map<string, Promise<Map<string, Entry>>>();
  #count = 0;
  #units = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** As it was read last, or is read now. */
  get(key: Key): Promise<Entry | undefined> {
    const name = keyText(key);
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const isKept = isHolders(key.partition) || isObserved(key.partition);
    return isKept ? this.#keep(this.#entries, name, this.#read(key)) : this.#store.get(key);
  }

  /** The whole of a partition that belongs to one object, by sort key. */
  list(partition: string): Promise<ReadonlyMap<string, Entry>> {
    const known = this.#lists.get(partition);
    if (known !== undefined) return known;
    return this.#keep(this.#lists, partition, this.#readAll(partition));
  }

  /**
   * Marks are listed anew: what observers have written since then counts. `marked`: whatever they have written since
   * these readings began is marked, and is of these names.
   */
  look(marked?: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) {
      if (isObserved(name) && marked?.has(name) !== false) this.#entries.delete(name);
    }
  }

  /** As whoever works with this has just committed it. */
  know(entry: Entry): void {
    this.#add([entry]);
    this.#entries.set(keyText(entry.key), Promise.resolve(entry));
  }

  /** It is to be read once more. */
  forget(key: Key): void {
    this.#entries.delete(keyText(key));
  }

  /** These have become durable. */
  landed(writes: readonly Write[], version: Version): void {
    for (const { key, value } of writes) {
      const entry = value === null ? undefined : { key, value, version };
      this.forget(key);
      if (isHolders(key.partition)) {
        this.#count += 1;
        this.#units += value?.length ?? 0;
        this.#entries.set(keyText(key), Promise.resolve(entry));
      }
      // Also where it is still being read: what is read has this, or what was before.
      this.#lists.get(key.partition)?.then(
        (all) => (entry === undefined ? all.delete(key.sort) : all.set(key.sort, entry)),
        () => undefined,
      );
    }
  }

  async #read(key: Key): Promise<Entry | undefined> {
    const entry = await this.#store.get(key);
    this.#add(entry === undefined ? [] : [entry]);
    return entry;
  }

  async #readAll(partition: string): Promise<Map<string, Entry>> {
    const entries = await listAll(this.#store, partition);
    this.#add(entries);
    return new Map(entries.map((entry) => [entry.key.sort, entry]));
  }

  #add(entries: readonly Entry[]): void {
    this.#count += Math.max(1, entries.length);
    for (const { value } of entries) this.#units += value.length;
    if (this.#count <= maxEntries && this.#units <= maxUnits) return;
    this.#entries.clear();
    this.#lists.clear();
    this.#count = 0;
    this.#units = 0;
  }

  /** What failed is read again by whoever needs it. */
  #keep<T>(among: Map<string, Promise<T>>, name: string, reading: Promise<T>): Promise<T> {
    among.set(name, reading);
    reading.catch(() => {
      if (among.get(name) === reading) among.delete(name);
    });
    return reading;
  }
}

function isHolders(partition: string): boolean {
  return partition.startsWith("want/") || partition.startsWith("part/") || partition === refusedPartition;
}

/** Of a partition's name, or a key's text. */
function isObserved(name: string): boolean {
  return name.startsWith("seen/") || name.startsWith(dirtyPartition);
}
