/** What a store holds, as the lines of a package. */
import { EntranceError } from "../model/error.ts";
import { lockKey, rulesKey } from "../reconcile/keys.ts";
import { extend, type HeldLock, type Locking, readLock, release, tryAcquire } from "../reconcile/lock.ts";
import { readRules } from "../reconcile/rules.ts";
import { carried } from "./carried.ts";
import { headsOf } from "./heads.ts";
import { type Header, PackageWriter } from "./package.ts";

const pauseMs = 50;

/** What a command has: the lock's surroundings, and a pause. */
export interface Operating extends Locking {
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * The lines of a package. What only the lock's holder writes is of one moment: of a store that is open the lock is held
 * meanwhile, so that observing goes on and translating waits; a closed one stands still. Throws `busy` where the lock
 * does not get free in time, or is lost.
 */
export async function* exportStore(context: Operating): AsyncGenerator<string> {
  const { closed } = readLock(await context.store.get(lockKey));
  if (closed?.why === "importing") throw new EntranceError("invalid", "an import into this store has not ended");
  let lock = closed === undefined ? await acquire(context) : undefined;
  try {
    const writer = new PackageWriter();
    yield writer.header(await headerOf(context));
    for await (const entry of carried(context.store)) {
      if (lock !== undefined) lock = await kept(context, lock);
      yield writer.record(entry);
    }
    if (lock !== undefined) lock = await good(extend(context, lock));
    yield writer.end();
  } finally {
    if (lock !== undefined) await release(context, lock);
  }
}

async function headerOf({ store, now }: Operating): Promise<Header> {
  const [lock, rules, heads] = await Promise.all([store.get(lockKey), store.get(rulesKey), headsOf(store)]);
  return {
    entrance: "package",
    format: 1,
    made: new Date(now()).toISOString(),
    fence: readLock(lock).fence,
    rules: rules === undefined ? null : readRules(rules),
    heads: Object.fromEntries(heads.map(({ balancer, head }) => [balancer, head])),
  };
}

/** A turn of many objects frees the lock for a moment; one that died has it for a lease. */
async function acquire(context: Operating): Promise<HeldLock> {
  const { leaseMs, clockMarginMs } = context.timing;
  for (const end = context.now() + 3 * (leaseMs + clockMarginMs); context.now() < end; ) {
    const lock = await tryAcquire(context);
    if (lock !== undefined) return lock;
    await context.pause(pauseMs);
  }
  throw new EntranceError("busy", "the lock is held all the time: try again when less changes", {
    retryAfterSeconds: 10,
  });
}

async function kept(context: Operating, lock: HeldLock): Promise<HeldLock> {
  if (context.now() - lock.writtenAt < context.timing.leaseMs / 3) return lock;
  return good(extend(context, lock));
}

async function good(extended: Promise<HeldLock | undefined>): Promise<HeldLock> {
  const lock = await extended;
  if (lock === undefined) throw new EntranceError("busy", "the lock was lost in the middle of the export: begin anew");
  return lock;
}
