/**
 * A store that is moved is closed before it is exported: what is observed from then on is refused with 503, to be told
 * again to where it went, no turn begins or commits, and nothing is pushed. Otherwise two stores would drive the nodes.
 */
import { EntranceError } from "../model/error.ts";
import type { Head } from "../reconcile/head.ts";
import { lockKey } from "../reconcile/keys.ts";
import { type LockRecord, readLock } from "../reconcile/lock.ts";
import { type Check, maxCommitKeys, type Store, type Write } from "../store/port.ts";
import { headsOf } from "./heads.ts";

/** A turn writes lock and heads with every commit. */
const maxAttempts = 50;

/** One commit: whoever holds the lock has lost it. A store that is closed stays as it is. */
export async function closeStore(store: Store, now: number): Promise<void> {
  await change(store, (lock, heads) => {
    if (lock.closed?.why === "moved") return undefined;
    if (lock.closed !== undefined) throw new EntranceError("invalid", "an import into this store has not ended");
    const closed: LockRecord = { holder: "", fence: lock.fence + 1, expires: 0, closed: { why: "moved", since: now } };
    return { lock: closed, heads: heads.map((head) => ({ ...head, closed: now })) };
  });
}

/** Takes a closing back. Its nodes are ahead of it if another store has driven them: then it goes above that one. */
export async function openStore(store: Store): Promise<void> {
  await change(store, ({ closed, ...lock }, heads) => {
    if (closed === undefined) return undefined;
    if (closed.why !== "moved")
      throw new EntranceError("invalid", "an import into this store has not ended: run it again");
    return { lock, heads: heads.map(({ closed: _, ...head }) => head) };
  });
}

type Change = (
  lock: LockRecord,
  heads: readonly Head[],
) => { readonly lock: LockRecord; readonly heads: readonly Head[] } | undefined;

async function change(store: Store, decide: Change): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const [lockEntry, known] = await Promise.all([store.get(lockKey), headsOf(store)]);
    if (known.length >= maxCommitKeys)
      throw new EntranceError("invalid", "the store knows too many balancers: forget some");
    const next = decide(
      readLock(lockEntry),
      known.map(({ head }) => head),
    );
    if (next === undefined) return;
    const checks: Check[] = [{ key: lockKey, version: lockEntry?.version ?? null }];
    const writes: Write[] = [{ key: lockKey, value: JSON.stringify(next.lock) }];
    known.forEach(({ entry }, index) => {
      checks.push({ key: entry.key, version: entry.version });
      writes.push({ key: entry.key, value: JSON.stringify(next.heads[index]) });
    });
    const result = await store.commit(checks, writes);
    if (result.ok) return;
  }
  throw new EntranceError("busy", "the store changes all the time: try again", { retryAfterSeconds: 1 });
}
