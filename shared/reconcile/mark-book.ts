/** The marks of a turn: which are worked on, which it sets, which it takes off with its next commit. */
import { isContest, type Reference, referenceKey } from "../model/reference.ts";
import type { Check, Entry, Key, Version, Write } from "../store/port.ts";
import { dirtyKey, dirtyPartition, seenKey } from "./keys.ts";
import { markText, readMark } from "./mark.ts";
import type { Readings } from "./readings.ts";
import type { Context } from "./settings.ts";

interface StagedMark {
  readonly key: Key;
  /** null: taken off, if its version still is the one that was there when its object was opened. */
  value: string | null;
  /** Set before its object was opened: what it stands for is read. */
  covered: boolean;
}

export class MarkBook {
  readonly #context: Context;
  readonly #readings: Readings;
  readonly #staged = new Map<string, StagedMark>();
  /** Of each object being worked on: its mark's version in the store before anything of it was read; null: none. */
  readonly #open = new Map<string, Version | null>();
  readonly #tries = new Map<string, number>();
  /** Versions that were worked off in this turn, so that a list read before does not do them again. */
  readonly #done = new Map<string, Version>();

  constructor(context: Context, readings: Readings) {
    this.#context = context;
    this.#readings = readings;
  }

  /** Keys that the next commit has for marks, with those that may still be taken off. */
  get room(): number {
    return this.#staged.size + this.#open.size;
  }

  /** Whether the next commit leaves marks that a list made before does not have. */
  get sets(): boolean {
    return [...this.#staged.values()].some((mark) => mark.value !== null);
  }

  isDone(mark: Entry): boolean {
    return this.#done.get(mark.key.sort) === mark.version;
  }

  /** Before an object is read. `listed` saves a read where the mark was just listed. */
  async open(reference: Reference, listed?: Entry): Promise<void> {
    const name = referenceKey(reference);
    // Worked off since that list was made, it is gone: a check of what was listed would fail, as if a newer one stood.
    const mark = listed !== undefined && !this.#done.has(name) ? listed : await this.#read(reference);
    this.#open.set(name, mark?.version ?? null);
    this.#tries.set(name, mark === undefined ? 0 : readMark(mark).tries);
    const staged = this.#staged.get(name);
    if (staged !== undefined) staged.covered = true;
  }

  /** What is read of the object from now on is newer than this. A contest has nothing that anybody else writes. */
  async #read(reference: Reference): Promise<Entry | undefined> {
    if (isContest(reference.kind)) return this.#readings.get(dirtyKey(reference));
    const mark = await this.#context.store.get(dirtyKey(reference));
    this.#readings.forget(seenKey(reference));
    return mark;
  }

  tries(reference: Reference): number {
    return this.#tries.get(referenceKey(reference)) ?? 0;
  }

  /** By the ledger alone: it is to be translated (again). Set while it is being worked on, it outlives that. */
  set(reference: Reference): void {
    const value = markText(this.#context.now(), undefined);
    this.#staged.set(referenceKey(reference), { key: dirtyKey(reference), value, covered: false });
  }

  /** Its outcome is staged: the mark goes with the same commit, unless it was set again meanwhile. */
  close(reference: Reference): void {
    const name = referenceKey(reference);
    const version = this.#open.get(name);
    const staged = this.#staged.get(name);
    this.#open.delete(name);
    if (version === undefined || (staged !== undefined && !staged.covered)) return;
    if (version === null) {
      this.#staged.delete(name);
    } else {
      this.#staged.set(name, { key: dirtyKey(reference), value: null, covered: true });
      this.#done.set(name, version);
    }
  }

  staged(): { checks: Check[]; writes: Write[] } {
    const checks: Check[] = [];
    const writes: Write[] = [];
    for (const [name, { key, value, covered }] of this.#staged) {
      const opened = this.#open.get(name);
      if (value === null) checks.push({ key, version: this.#done.get(name) ?? null });
      // It would count as read with the object: it must not take the place of a mark that came after that reading.
      else if (covered && opened !== undefined) checks.push({ key, version: opened });
      writes.push({ key, value });
    }
    return { checks, writes };
  }

  /** Leaves standing what conflicted; false: none of these is a mark of this turn. */
  keep(conflicts: readonly Key[]): boolean {
    let kept = false;
    for (const key of conflicts) {
      if (key.partition !== dirtyPartition) continue;
      kept = this.#staged.delete(key.sort) || kept;
      this.#done.delete(key.sort);
    }
    return kept;
  }

  /** After a commit: marks that were set, and whose objects are open, have this version now. */
  landed(version: Version): void {
    for (const [name, { value, covered }] of this.#staged) {
      if (value !== null && covered && this.#open.has(name)) this.#open.set(name, version);
    }
    this.#staged.clear();
  }
}
