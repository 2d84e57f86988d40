/**
 * All of a store that another one needs to go on as this one would have. Not: the logs, since a node that meets the
 * other store gets a snapshot; nor what periodic jobs have noted, so that the first LIST is due at once.
 */

import { contestKinds, parseReferenceKey, type Reference, seenKinds } from "../model/reference.ts";
import {
  announcePartition,
  dirtyPartition,
  floorPartition,
  hintPartition,
  laterPartition,
  partsPartition,
  refusedPartition,
  seenPartition,
  userKey,
  wantPartition,
} from "../reconcile/keys.ts";
import { userText } from "../reconcile/users.ts";
import { readWant } from "../reconcile/want.ts";
import { entriesOf } from "../store/entries.ts";
import type { Entry, Key, Store } from "../store/port.ts";

export interface Carried {
  readonly key: Key;
  readonly value: string;
}

const whole = [
  dirtyPartition,
  laterPartition,
  hintPartition,
  announcePartition,
  refusedPartition,
  floorPartition,
  "cluster",
];

/** What one want comes with is there before it, and goes before it. While others write, it is no picture of one moment. */
export async function* carried(store: Store): AsyncGenerator<Carried> {
  for (const kind of seenKinds) yield* entriesOf(store, seenPartition(kind));
  for (const kind of [...seenKinds, ...contestKinds]) {
    for await (const entry of entriesOf(store, wantPartition(kind))) {
      const reference = parseReferenceKey(`${kind}/${entry.key.sort}`);
      if (reference !== undefined) yield* dependents(store, reference, entry);
      yield entry;
    }
  }
  for (const partition of whole) yield* entriesOf(store, partition);
}

/** Whether a package may have it. */
export function isCarried({ partition }: Key): boolean {
  return whole.includes(partition) || /^(seen|want|part|users)\/./.test(partition);
}

/** The want lists whose user its object is, so the users of all objects need not be looked for. */
async function* dependents(store: Store, reference: Reference, entry: Entry): AsyncGenerator<Carried> {
  const stored = await readWant(store, reference, entry);
  for (const [name, claim] of Object.entries(stored.want.uses)) {
    const used = parseReferenceKey(name);
    if (used !== undefined) yield { key: userKey(used, reference), value: userText(claim) };
  }
  if (stored.inParts) yield* entriesOf(store, partsPartition(reference));
}
