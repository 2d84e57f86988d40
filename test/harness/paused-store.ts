/** A store whose every operation can be held before it takes effect, and again before the caller hears of it. */
import type { Key, Store } from "../../shared/store/port.ts";

export interface Moment {
  /** Whose operation it is. */
  readonly who: string;
  /** get, list or commit; or what else a test holds beside a store. */
  readonly call: string;
  readonly phase: "before" | "after";
  /** Keys read, checked or written; of a list the partition alone. */
  readonly keys: readonly (Key | { readonly partition: string })[];
}

/**
 * Called at each moment; the operation goes on when it resolves. It may never resolve (the caller is frozen) or throw:
 * before, that is a store out of reach; after, an answer that got lost.
 */
export type Hold = (moment: Moment) => Promise<void>;

export function pausedStore(store: Store, who: string, hold: Hold): Store {
  async function between<T>(call: string, keys: Moment["keys"], operation: () => Promise<T>): Promise<T> {
    await hold({ who, call, phase: "before", keys });
    const result = await operation();
    await hold({ who, call, phase: "after", keys });
    return result;
  }
  return {
    get: (key) => between("get", [key], () => store.get(key)),
    list: (partition, after, limit) => between("list", [{ partition }], () => store.list(partition, after, limit)),
    commit: (checks, writes) =>
      between(
        "commit",
        [...checks, ...writes].map(({ key }) => key),
        () => store.commit(checks, writes),
      ),
    close: () => store.close(),
  };
}

/** An operation that stands still. */
export interface Held {
  readonly moment: Moment;
  release(): void;
  fail(error: Error): void;
}

/** Holds everything, so that a test decides who takes the next step. */
export class Scheduler {
  readonly #held: Held[] = [];

  readonly hold: Hold = (moment) =>
    new Promise((resolve, reject) => {
      this.#held.push({ moment, release: resolve, fail: reject });
    });

  /**
   * Lets one held operation go on at a time, chosen from all that stand still, until `work` is settled; `undefined`
   * leaves the rest standing for ever. The same choices give the same run, as long as the work waits for nothing but
   * a store in memory. Throws if it waits for something else. What became of the work, its promises tell.
   */
  async run(work: readonly Promise<unknown>[], choose: (held: readonly Held[]) => Held | undefined): Promise<void> {
    let settled = false;
    const end = Promise.allSettled(work).then(() => {
      settled = true;
    });
    for (;;) {
      // All that can go on without us is done once the microtasks are.
      await new Promise(setImmediate);
      if (settled) return end;
      if (this.#held.length === 0) throw new Error("nothing is held, and yet the work has not ended");
      const chosen = choose(this.#held);
      if (!chosen) return;
      this.#held.splice(this.#held.indexOf(chosen), 1);
      chosen.release();
    }
  }
}
