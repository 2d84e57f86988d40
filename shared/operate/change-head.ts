/** Heads as an operator's command changes them, beside turns that write them as well. */
import { EntranceError } from "../model/error.ts";
import { type Head, readHead } from "../reconcile/head.ts";
import { headKey } from "../reconcile/keys.ts";
import type { Store } from "../store/port.ts";
import { headsOf } from "./heads.ts";

/** A turn writes the head with every commit. */
const maxAttempts = 50;

/** Throws `not-found` for a balancer that the store does not know, and what `change` throws. */
export async function changeHead(store: Store, balancer: string, change: (head: Head) => Head): Promise<Head> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const entry = await store.get(headKey(balancer));
    if (entry === undefined) throw await unknownBalancer(store, balancer);
    const next = change(readHead(entry));
    const value = JSON.stringify(next);
    const result = await store.commit([{ key: entry.key, version: entry.version }], [{ key: entry.key, value }]);
    if (result.ok) return next;
  }
  throw new EntranceError("busy", `balancer ${balancer} changes all the time: try again`, { retryAfterSeconds: 1 });
}

/** Names, in order. */
export async function balancersOf(store: Store): Promise<string[]> {
  return (await headsOf(store)).map(({ balancer }) => balancer);
}

export async function unknownBalancer(store: Store, balancer: string): Promise<EntranceError> {
  const known = await balancersOf(store);
  const sentence = known.length === 0 ? "it knows none" : `it knows ${known.join(", ")}`;
  return new EntranceError("not-found", `the store knows no balancer ${balancer}: ${sentence}`);
}
