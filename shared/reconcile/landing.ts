/** How the outcome of a translation becomes durable: in one commit where 40 keys are enough, else in a safe order. */
import { canonicalJson } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import type { Reference } from "../model/reference.ts";
import { type Check, type Entry, maxCommitKeys, type Version, type Write } from "../store/port.ts";
import type { Holder } from "./holder.ts";
import { dirtyKey, laterKey, wantKey } from "./keys.ts";
import { markText } from "./mark.ts";
import type { Context } from "./settings.ts";
import { type StoredWant, type Want, wantWrites } from "./want.ts";

/** The lock has one key of each commit. */
const room = maxCommitKeys - 1;

export interface Outcome {
  readonly reference: Reference;
  /** Undefined: it was translated because somebody else was about to read it. */
  readonly mark: Entry | undefined;
  readonly stored: StoredWant;
  readonly after: Want;
  readonly parts: OutcomeParts;
}

export interface OutcomeParts {
  readonly checks: readonly Check[];
  /** Heads, logs, the entry among the refused. */
  readonly main: readonly Write[];
  /** Marks of those who are translated again. */
  readonly marks: readonly Write[];
  /** User records taken back, and marks of those that they claimed of. */
  readonly leaving: readonly Write[];
}

/** A mark for each; a postponed one is due now. */
export function marksOf(context: Context, references: readonly Reference[]): Write[] {
  return references.flatMap((reference) => [
    { key: dirtyKey(reference), value: markText(context.now(), undefined) },
    { key: laterKey(reference), value: null },
  ]);
}

export class Landing {
  readonly #context: Context;
  readonly #holder: Holder;
  /** Versions of marks that this turn has already worked off, so that a list read before does not do them again. */
  readonly #done = new Map<string, Version>();

  constructor(context: Context, holder: Holder) {
    this.#context = context;
    this.#holder = holder;
  }

  isDone(mark: Entry): boolean {
    return this.#done.get(mark.key.sort) === mark.version;
  }

  /**
   * One commit where 40 keys are enough. Otherwise marks come before, user records are taken back after, and the
   * object's own mark stays until the last commit, so that a crash between them is gone through again.
   */
  async land({ reference, mark, stored, after, parts }: Outcome): Promise<void> {
    const whole = wantWrites(reference, stored, after, this.#context.randomId());
    const own = mark === undefined ? 0 : 1;
    const together = [...whole.writes, ...parts.main, ...parts.marks, ...parts.leaving];
    if (together.length + own <= room) {
      if (isSame(stored.want, after) && parts.main.length + parts.marks.length + parts.leaving.length === 0) {
        await this.#unmark(mark);
        return;
      }
      await this.#commit(reference, stored, [...parts.checks], together, mark, parts);
      return;
    }
    await this.chunks(parts.marks);
    const superset: Want = { ...after, uses: { ...stored.want.uses, ...after.uses } };
    const first = wantWrites(reference, stored, superset, this.#context.randomId());
    const version = await this.#commit(
      reference,
      stored,
      [...parts.checks],
      [...first.writes, ...parts.main],
      undefined,
      parts,
    );
    await this.chunks(parts.leaving);
    const standing: StoredWant = { want: superset, version, parts: first.parts };
    const last = wantWrites(reference, standing, after, this.#context.randomId());
    await this.#commit(reference, standing, [], last.writes, mark, undefined);
  }

  /** Commits with the mark's removal; where only the mark is newer than what was listed, without it. */
  async #commit(
    reference: Reference,
    stored: StoredWant,
    checks: readonly Check[],
    writes: readonly Write[],
    mark: Entry | undefined,
    parts: OutcomeParts | undefined,
  ): Promise<Version> {
    const all = [...checks, { key: wantKey(reference), version: stored.version }];
    let result = await this.#holder.commit(
      mark === undefined ? all : [...all, { key: mark.key, version: mark.version }],
      mark === undefined ? writes : [...writes, { key: mark.key, value: null }],
    );
    if (!result.ok && mark !== undefined && result.conflicts.every((key) => key.partition === mark.key.partition)) {
      result = await this.#holder.commit(all, writes);
    } else if (result.ok && mark !== undefined) {
      this.#done.set(mark.key.sort, mark.version);
    }
    if (!result.ok) throw new EntranceError("busy", "a want or a head changed beside the turn");
    for (const write of parts?.main ?? []) {
      if (write.key.partition !== "head" || write.value === null) continue;
      this.#holder.wroteHead(decodeURIComponent(write.key.sort), JSON.parse(write.value), result.version);
    }
    return result.version;
  }

  async #unmark(mark: Entry | undefined): Promise<void> {
    if (mark === undefined) return;
    const result = await this.#holder.commit(
      [{ key: mark.key, version: mark.version }],
      [{ key: mark.key, value: null }],
    );
    if (result.ok) this.#done.set(mark.key.sort, mark.version);
  }

  /** Writes that stand each for itself, in commits as large as they may be. */
  async chunks(writes: readonly Write[]): Promise<void> {
    for (let start = 0; start < writes.length; start += room) {
      await this.#holder.commit([], writes.slice(start, start + room));
      await this.#holder.keep();
    }
  }
}

function isSame(before: Want, after: Want): boolean {
  return canonicalJson(before) === canonicalJson(after);
}
