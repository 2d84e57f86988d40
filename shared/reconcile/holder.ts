/** The lock's holder: every commit of it checks the lock as it last wrote it. */
import type { Check, CommitResult, Version, Write } from "../store/port.ts";
import { firstHead, type Head, readHead } from "./head.ts";
import { headKey, lockKey } from "./keys.ts";
import { extend, type HeldLock, release } from "./lock.ts";
import type { Context } from "./settings.ts";

/** Somebody else is the holder now: stop silently, they find what is left. */
export class LockLost extends Error {
  override readonly name = "LockLost";
}

export interface StoredHead {
  readonly head: Head;
  readonly version: Version | null;
}

export class Holder {
  readonly #context: Context;
  readonly #heads = new Map<string, StoredHead>();
  #lock: HeldLock;

  constructor(context: Context, lock: HeldLock) {
    this.#context = context;
    this.#lock = lock;
  }

  get fence(): number {
    return this.#lock.fence;
  }

  /** Throws {@link LockLost} when the lock is not ours any more; other conflicts are the caller's to read. */
  async commit(checks: readonly Check[], writes: readonly Write[]): Promise<CommitResult> {
    const result = await this.#context.store.commit([{ key: lockKey, version: this.#lock.version }, ...checks], writes);
    if (result.ok) return result;
    if (result.conflicts.some((key) => key.partition === lockKey.partition)) throw new LockLost("the lock is lost");
    this.#context.counters.add("entrance_conflicts_total", { at: "turn" });
    return result;
  }

  /** Only holders write heads, so one read is good for the whole turn. */
  async head(balancer: string): Promise<StoredHead> {
    const known = this.#heads.get(balancer);
    if (known !== undefined) return known;
    const entry = await this.#context.store.get(headKey(balancer));
    // A balancer that has gone from the settings may still have wants, and no head.
    const head = readHead(entry) ?? firstHead(this.#context.randomId());
    const stored = { head, version: entry?.version ?? null };
    this.#heads.set(balancer, stored);
    return stored;
  }

  wroteHead(balancer: string, head: Head, version: Version): void {
    this.#heads.set(balancer, { head, version });
  }

  /** Extends the lease once half of it is gone. */
  async keep(): Promise<void> {
    if (this.#context.now() - this.#lock.writtenAt < this.#context.timing.leaseMs / 2) return;
    const extended = await extend(this.#context, this.#lock);
    if (extended === undefined) throw new LockLost("the lock is lost");
    this.#lock = extended;
  }

  async release(): Promise<void> {
    await release(this.#context, this.#lock);
  }
}
