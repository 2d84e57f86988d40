/**
 * Nodes that another store drove refuse this one's word until it says that it replaces that one. An operator's command
 * puts that into the head; every copy then takes over those nodes that it meets, for a while: a leave that stood for
 * ever would take them back one day from a store that has adopted them since.
 */
import { EntranceError } from "../model/error.ts";
import { headKey, nodesPartition } from "../reconcile/keys.ts";
import { listAll } from "../reconcile/list-all.ts";
import { readNodeRecord } from "../reconcile/node-record.ts";
import type { Store } from "../store/port.ts";
import { changeHead, unknownBalancer } from "./change-head.ts";

/** A node that is away for longer is adopted by the same command once more. */
export const adoptionMs = 600_000;
const maxReplaced = 16;

export interface Strange {
  readonly node: string;
  /** Whose it is. */
  readonly store: string;
}

/** Nodes of a balancer that have told a copy of Entrance that another store drives them. Throws `not-found`. */
export async function strangeNodes(store: Store, balancer: string): Promise<readonly Strange[]> {
  if ((await store.get(headKey(balancer))) === undefined) throw await unknownBalancer(store, balancer);
  return (await listAll(store, nodesPartition(balancer))).flatMap((entry) => {
    const { store: id } = readNodeRecord(entry);
    return id === undefined ? [] : [{ node: decodeURIComponent(entry.key.sort), store: id }];
  });
}

/** `replaced`: ids of stores whose nodes are to become this one's until {@link adoptionMs} from `now`. */
export async function adopt(store: Store, balancer: string, replaced: readonly string[], now: number): Promise<void> {
  await changeHead(store, balancer, (head) => {
    const standing = (head.replaces ?? []).filter((each) => now < each.until && !replaced.includes(each.store));
    const replaces = [...standing, ...replaced.map((id) => ({ store: id, until: now + adoptionMs }))];
    if (replaces.length > maxReplaced) throw new EntranceError("invalid", "too many stores at once: name one of them");
    return { ...head, replaces };
  });
}
