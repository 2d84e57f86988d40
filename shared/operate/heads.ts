/** Heads of all balancers that the store knows, in order of their names. */
import { type Head, readHead } from "../reconcile/head.ts";
import { headPartition } from "../reconcile/keys.ts";
import { listAll } from "../reconcile/list-all.ts";
import type { Entry, Store } from "../store/port.ts";

export interface StoredHead {
  readonly balancer: string;
  readonly head: Head;
  readonly entry: Entry;
}

export async function headsOf(store: Store): Promise<StoredHead[]> {
  const entries = await listAll(store, headPartition);
  return entries.map((entry) => ({ balancer: decodeURIComponent(entry.key.sort), head: readHead(entry), entry }));
}
