/**
 * What a turn has decided and not yet committed. Its own reads see it; a flush makes it durable in one commit that
 * checks the lock as this holder last wrote it. So a change costs one commit, however many objects it touches.
 *
 * Wants, users, heads and logs are written by the lock's holder only: no version of theirs is checked but the head's,
 * which also changes when a restored store is noticed.
 */
import { EntranceError } from "../model/error.ts";
import type { SeenReference } from "../model/observation.ts";
import type { Reference } from "../model/reference.ts";
import { utf8Length } from "../model/utf8.ts";
import {
  type Check,
  type Entry,
  type Key,
  keyText,
  maxCommitBytes,
  maxCommitKeys,
  maxValueBytes,
  type Version,
  type Write,
} from "../store/port.ts";
import type { Head } from "./head.ts";
import { laterPartition, lockKey, referredIn, rulesKey } from "./keys.ts";
import { extend, freeLockText, type HeldLock, heldLockText, release } from "./lock.ts";
import { MarkBook } from "./mark-book.ts";
import { Readings } from "./readings.ts";
import { type Committed, type ObjectChange, Revisions } from "./revisions.ts";
import type { Context } from "./settings.ts";

/** Somebody else is the holder now: stop silently, they find what is left. */
export class LockLost extends Error {
  override readonly name = "LockLost";
}

/** Hears of each revision as it becomes durable. */
export type OnCommitted = (committed: readonly Committed[]) => void;
/** Hears of Secrets that something refers to now, and nothing did before; hints of them are durable. */
export type OnReferred = (secrets: readonly SeenReference[]) => void;

/** Writes that belong together; they land in one commit. */
export interface Group {
  readonly writes: readonly Write[];
  /** To be translated (again). */
  readonly marks?: readonly Reference[];
  readonly changes?: ObjectChange;
}

/** The rest is room for heads, marks and the lock. */
const maxFlushBytes = maxCommitBytes - 50_000;
const lockAndRulesKeys = 2;
const marksPerGroup = 20;

export class Ledger {
  readonly marks: MarkBook;
  readonly readings: Readings;
  readonly #context: Context;
  readonly #onCommitted: OnCommitted;
  readonly #onReferred: OnReferred;
  readonly #revisions: Revisions;
  readonly #writes = new Map<string, Write>();
  #bytes = 0;
  #lock: HeldLock | undefined;
  #freed: Entry | undefined;
  #rules: readonly Check[] = [];

  /** Without a lock it can read, and commits nothing until it is given one. */
  constructor(
    context: Context,
    lock: HeldLock | undefined,
    onCommitted: OnCommitted,
    onReferred: OnReferred = () => undefined,
  ) {
    this.#context = context;
    this.#lock = lock;
    this.#onCommitted = onCommitted;
    this.#onReferred = onReferred;
    this.readings = new Readings(context.store);
    this.marks = new MarkBook(context, this.readings);
    this.#revisions = new Revisions(context);
  }

  /** What it has read counts if nobody has had the lock since the first of it was read. */
  hold(lock: HeldLock): void {
    this.#lock = lock;
  }

  /** The lock as this ledger's last flush has freed it. */
  get freed(): Entry | undefined {
    return this.#freed;
  }

  /** These rules are to stand for as long as this turn commits. */
  abide(rules: Check): void {
    this.#rules = [rules];
  }

  /** Reads the heads of all balancers at once: whatever is committed moves one, mostly. */
  async open(): Promise<void> {
    await Promise.all(this.#context.balancers.map(({ name }) => this.#revisions.head(name)));
  }

  get fence(): number {
    return this.#held().fence;
  }

  /** What is staged, else what the store has. */
  async get(key: Key): Promise<Entry | undefined> {
    const staged = this.#writes.get(keyText(key));
    if (staged !== undefined) return staged.value === null ? undefined : { key, value: staged.value, version: "" };
    return this.readings.get(key);
  }

  /** A whole partition, with what is staged in it, in order of the sort keys. */
  async listAll(partition: string): Promise<Entry[]> {
    const entries = new Map(await this.readings.list(partition));
    for (const { key, value } of this.#writes.values()) {
      if (key.partition !== partition) continue;
      if (value === null) entries.delete(key.sort);
      else entries.set(key.sort, { key, value, version: "" });
    }
    return [...entries.values()].sort((a, b) => (a.key.sort < b.key.sort ? -1 : 1));
  }

  /** Whether a partition has nothing, with what is staged in it. */
  async isEmpty(partition: string): Promise<boolean> {
    const [first] = (await this.#context.store.list(partition, undefined, 1)).entries;
    if (first !== undefined && !this.#writes.has(keyText(first.key))) return false;
    return (await this.listAll(partition)).length === 0;
  }

  /** The head as it will be after the next flush but for its revision, which then is one more. */
  head(balancer: string): Promise<Head> {
    return this.#revisions.head(balancer);
  }

  /**
   * Stages a group, after a flush if it does not fit beside what is staged. `build` may be called twice: a flush moves
   * the revision that it works with. Throws `too-large` for what would fit nowhere, and nothing of it is staged: one
   * object's writes must not make everybody's commit impossible.
   */
  async stage(build: () => Group | Promise<Group>): Promise<void> {
    let group = await build();
    if (!this.#fits(group)) {
      await this.flush();
      group = await build();
      if (!this.#fits(group)) throw tooLarge();
    }
    for (const write of group.writes) {
      this.#bytes += bytesOf(write);
      this.#writes.set(keyText(write.key), write);
    }
    for (const reference of group.marks ?? []) this.marks.set(reference);
    if (group.changes !== undefined) this.#revisions.add(group.changes);
  }

  /** Marks for all of these, in as many groups as it takes. */
  async mark(references: readonly Reference[]): Promise<void> {
    for (let start = 0; start < references.length; start += marksPerGroup) {
      await this.stage(() => ({ writes: [], marks: references.slice(start, start + marksPerGroup) }));
    }
  }

  /** Extends the lease once half of it is gone. */
  async keep(): Promise<void> {
    const lock = this.#held();
    if (this.#context.now() - lock.writtenAt < this.#context.timing.leaseMs / 2) return;
    this.#lock = await extend(this.#context, lock);
    this.#held();
  }

  /** Frees the lock as it stands now, if it is still ours; what is staged is forgotten with this ledger. */
  async free(): Promise<void> {
    if (this.#lock !== undefined) await release(this.#context, this.#lock);
  }

  /** Makes everything durable, and with `release` frees the lock in the same commit. */
  async flush(options: { readonly release?: boolean } = {}): Promise<void> {
    const lock = this.#held();
    const frees = options.release === true;
    for (;;) {
      const { checks, writes, heads } = await this.#revisions.staged();
      const marks = this.marks.staged();
      // What is to be translated again is not put off.
      for (const { key, value } of marks.writes) if (value !== null) this.#writes.delete(keyText(laterOf(key)));
      writes.push(...this.#writes.values(), ...marks.writes);
      if (writes.length === 0 && !frees) return;
      // Written each time, so that a store that went back to a backup in the middle of a turn takes no more of it.
      const writtenAt = this.#context.now();
      const value = frees ? freeLockText(lock) : heldLockText(this.#context, lock.fence, writtenAt);
      writes.push({ key: lockKey, value });
      const lockCheck = { key: lockKey, version: lock.version };
      const result = await this.#context.store.commit([lockCheck, ...this.#rules, ...checks, ...marks.checks], writes);
      if (result.ok) {
        this.readings.landed(writes, result.version);
        this.#landed(result.version, heads);
        const referred = writes.flatMap(({ key, value }) => (value === null ? [] : (referredIn(key) ?? [])));
        if (referred.length > 0) this.#onReferred(referred);
        this.#lock = frees ? undefined : { fence: lock.fence, version: result.version, writtenAt };
        if (frees) this.#freed = { key: lockKey, value, version: result.version };
        return;
      }
      if (result.conflicts.some((key) => key.partition === lockKey.partition)) throw new LockLost("the lock is lost");
      this.#context.counters.add("entrance_conflicts_total", { at: "turn" });
      if (result.conflicts.some((key) => key.partition === rulesKey.partition)) {
        throw new EntranceError("busy", "the rules changed beside the turn");
      }
      // Newer marks than those that were worked off: the same without taking them off, nor what they end put off.
      const dropped = this.marks.keep(result.conflicts);
      for (const key of result.conflicts) this.#writes.delete(keyText(laterOf(key)));
      if (!dropped) throw new EntranceError("busy", "a head changed beside the turn");
    }
  }

  #landed(version: Version, heads: ReadonlyMap<string, Head>): void {
    const committed = this.#revisions.landed(heads, version);
    this.marks.landed(version);
    this.#writes.clear();
    this.#bytes = 0;
    if (committed.length > 0) this.#onCommitted(committed);
  }

  #fits(group: Group): boolean {
    const sizes = group.writes.map(bytesOf);
    if (sizes.some((size) => size > maxValueBytes)) throw tooLarge();
    const revisions = this.#revisions.roomWith(group.changes);
    if (revisions === undefined) return false;
    const names = new Set([...this.#writes.keys(), ...group.writes.map((write) => keyText(write.key))]);
    const keys = lockAndRulesKeys + names.size + revisions.keys + this.marks.room + (group.marks?.length ?? 0);
    const bytes = sizes.reduce((sum, size) => sum + size, this.#bytes + revisions.bytes);
    return keys <= maxCommitKeys && bytes <= maxFlushBytes;
  }

  #held(): HeldLock {
    if (this.#lock === undefined) throw new LockLost("the lock is not held");
    return this.#lock;
  }
}

/** Where the same object is put off whose mark this is. */
function laterOf({ sort }: Key): Key {
  return { partition: laterPartition, sort };
}

function bytesOf({ value }: Write): number {
  return value === null ? 0 : utf8Length(value);
}

function tooLarge(): EntranceError {
  return new EntranceError("too-large", "it asks for more than one object may: split it into several objects");
}
