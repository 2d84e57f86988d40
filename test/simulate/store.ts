/** The store of a simulation: one copy of the data that all reach, with the faults that real ones have. */
import { EntranceError } from "../../shared/model/error.ts";
import { checkCommit, checkKey, checkList } from "../../shared/store/limits.ts";
import {
  type Check,
  type CommitResult,
  type Entry,
  type Key,
  keyText,
  maxCommitKeys,
  maxValueBytes,
  type Page,
  type Store,
  type Write,
} from "../../shared/store/port.ts";
import type { Caller } from "./caller.ts";
import type { Random } from "./random.ts";

/** Of each call, one in so many; 0: never. */
export interface StoreFaults {
  /** The store does not answer, and nothing was done. */
  unavailable: number;
  /** The answer to a commit is lost; some of these were written. */
  uncertain: number;
  /** Some of them will be, when whoever sent them has given up. */
  late: boolean;
  /** The call takes seconds. */
  slow: number;
  /** Nobody reaches it. */
  isAway: boolean;
}

/** What was sent across a network comes within this. */
export const maxLateMs = 8_000;

export type Partition = ReadonlyMap<string, Entry>;

export interface Commit {
  readonly by: string;
  readonly checks: readonly Check[];
  readonly writes: readonly Write[];
  /** What was there before, write by write. */
  readonly before: readonly (Entry | undefined)[];
  readonly version: string;
}

/** What an oracle hears of. */
export interface StoreWatcher {
  committed(commit: Commit): void;
  read(by: string, keys: readonly Key[], listed: string | undefined): void;
}

export class ModelStore {
  readonly faults: StoreFaults = { unavailable: 0, uncertain: 0, slow: 0, isAway: false, late: false };
  watcher: StoreWatcher | undefined;
  #partitions = new Map<string, Map<string, Entry>>();
  /** Sort keys in order, made when they are asked for. */
  readonly #sorted = new Map<string, string[]>();
  #version = 0;
  readonly #random: Random;
  readonly #pageSize: number;

  constructor(random: Random, pageSize: number) {
    this.#random = random;
    this.#pageSize = pageSize;
  }

  /** The store as one copy of Entrance reaches it. */
  port(caller: Caller): Store {
    const faults = this.faults;
    const wait = () => (this.#is(faults.slow) ? this.#random.between(200, 6_000) : 0);
    return {
      get: (key) =>
        caller.call(`get ${keyText(key)}`, wait(), () => {
          checkKey(key);
          this.#answers();
          this.watcher?.read(caller.name, [key], undefined);
          return this.get(key);
        }),
      list: (partition, after, limit) =>
        caller.call(`list ${partition}`, wait(), () => {
          checkList(partition, after, limit);
          this.#answers();
          const page = this.list(partition, after, Math.min(limit, this.#pageSize));
          this.watcher?.read(caller.name, [], partition);
          return page;
        }),
      commit: (checks, writes) =>
        caller.call(`commit ${writes.map(nameOf).join(" ")}`, wait(), () => {
          if (isWorthACheck(checks, writes)) checkCommit(checks, writes);
          this.#answers();
          const isLost = this.#is(faults.uncertain);
          if (!isLost) return this.commit(caller.name, checks, writes);
          const outcome = this.#random.below(3);
          if (outcome === 0) this.commit(caller.name, checks, writes);
          if (outcome === 1 && faults.late) {
            caller.later(this.#random.between(5, maxLateMs), () => this.commit(caller.name, checks, writes));
          }
          throw new EntranceError("uncertain", "no answer from the store");
        }),
      close: async () => undefined,
    };
  }

  get(key: Key): Entry | undefined {
    return this.#partitions.get(key.partition)?.get(key.sort);
  }

  list(partition: string, after: string | undefined, limit: number): Page {
    const all = this.#partitions.get(partition);
    if (all === undefined) return { entries: [], next: undefined };
    let sorted = this.#sorted.get(partition);
    if (sorted === undefined) {
      // All keys are ASCII, so the order of code units is that of bytes.
      sorted = [...all.keys()].sort();
      this.#sorted.set(partition, sorted);
    }
    const start = after === undefined ? 0 : sorted.findIndex((sort) => sort > after);
    const names = start < 0 ? [] : sorted.slice(start, start + limit);
    const entries = names.flatMap((sort) => all.get(sort) ?? []);
    return { entries, next: start >= 0 && start + limit < sorted.length ? names.at(-1) : undefined };
  }

  commit(by: string, checks: readonly Check[], writes: readonly Write[]): CommitResult {
    const conflicts = checks.filter(({ key, version }) => (this.get(key)?.version ?? null) !== version);
    if (conflicts.length > 0) return { ok: false, conflicts: conflicts.map(({ key }) => key) };
    const before = writes.map(({ key }) => this.get(key));
    this.#version += 1;
    const version = String(this.#version);
    for (const { key, value } of writes) this.#write(key, value === null ? undefined : { key, value, version });
    this.watcher?.committed({ by, checks, writes, before, version });
    return { ok: true, version };
  }

  /** What a backup has. Versions that come later never repeat those before (etcd: restore with --bump-revision). */
  backup(): () => void {
    const kept = new Map([...this.#partitions].map(([name, entries]) => [name, new Map(entries)]));
    return () => {
      this.#partitions = new Map([...kept].map(([name, entries]) => [name, new Map(entries)]));
      this.#sorted.clear();
    };
  }

  partitions(): ReadonlyMap<string, Partition> {
    return this.#partitions;
  }

  #write(key: Key, entry: Entry | undefined): void {
    let all = this.#partitions.get(key.partition);
    if (all === undefined) {
      all = new Map();
      this.#partitions.set(key.partition, all);
    }
    const isThere = all.has(key.sort);
    if (isThere !== (entry !== undefined)) this.#sorted.delete(key.partition);
    if (entry === undefined) all.delete(key.sort);
    else all.set(key.sort, entry);
  }

  #answers(): void {
    if (this.faults.isAway || this.#is(this.faults.unavailable)) {
      // Or it is asked too much.
      const code = this.#random.one(2) ? "unavailable" : "busy";
      throw new EntranceError(code, "the store does not answer");
    }
  }

  #is(inSoMany: number): boolean {
    return inSoMany > 0 && this.#random.one(inSoMany);
  }
}

/** What cannot be near any limit is not measured: that takes a simulation a twentieth of its time. */
function isWorthACheck(checks: readonly Check[], writes: readonly Write[]): boolean {
  const characters = writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return checks.length + writes.length > maxCommitKeys / 2 || characters > maxValueBytes / 4;
}

function nameOf({ key, value }: Write): string {
  return value === null ? `-${keyText(key)}` : keyText(key);
}
