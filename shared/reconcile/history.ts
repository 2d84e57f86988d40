/** What a balancer's nodes should hold, read from the store: the changes since a revision, or everything. */
import { addToDigest, emptyDigest } from "../model/digest.ts";
import { EntranceError, invariant } from "../model/error.ts";
import { contestKinds, type ObjectKind, parseReferenceKey, type Reference, seenKinds } from "../model/reference.ts";
import type { Resource } from "../plugins/port.ts";
import { entriesOf } from "../store/entries.ts";
import { maxPageSize, type Store } from "../store/port.ts";
import { type Head, readHead } from "./head.ts";
import { headKey, logPartition, revisionText, wantPartition } from "./keys.ts";
import { keptRevisions, readLogEntry } from "./log-entry.ts";
import { readWant, type Want } from "./want.ts";

/** A balancer that changes faster than it can be read; each attempt reads only what is new. */
const maxAttempts = 50;

export interface History {
  readonly head: Head;
  readonly resources: readonly Resource[];
}

/**
 * The newest values of all keys that changed after `base`, up to the head that was just read or a newer one.
 * Undefined: the log does not reach back so far.
 */
export async function changesSince(
  store: Store,
  balancer: string,
  base: number,
  from: Head,
): Promise<History | undefined> {
  const changed = new Map<string, Set<string>>();
  const wants = new Map<string, Want>();
  let read = base;
  let head: Head | undefined = from;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (attempt > 0) head = readHead(await store.get(headKey(balancer)));
    if (head === undefined || base > head.revision) return undefined;
    const logged = await readLog(store, balancer, read, head.revision);
    if (logged === undefined) return undefined;
    // What was read after `read` may be newer than the head of then; it is right once nothing newer is logged.
    if (attempt > 0 && logged.size === 0) return { head, resources: valuesOf(balancer, changed, wants, head) };
    for (const [name, keys] of logged) changed.set(name, new Set([...(changed.get(name) ?? []), ...keys]));
    await Promise.all(
      [...logged.keys()].map(async (name) => {
        const reference = parseReferenceKey(name);
        invariant(reference !== undefined, "a log entry names an object");
        wants.set(name, (await readWant(store, reference)).want);
      }),
    );
    read = head.revision;
  }
  throw new EntranceError("busy", `balancer ${balancer} changes faster than it can be read`, { retryAfterSeconds: 1 });
}

/** Everything, at one revision. */
export async function everything(store: Store, balancer: string): Promise<History | undefined> {
  const first = readHead(await store.get(headKey(balancer)));
  if (first === undefined) return undefined;
  const wants = new Map<string, Want>();
  for (const kind of [...seenKinds, ...contestKinds]) await readKind(store, kind, wants);
  let read = first.revision;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const head = readHead(await store.get(headKey(balancer)));
    if (head === undefined) return undefined;
    const logged = await readLog(store, balancer, read, head.revision);
    // The log was trimmed while we read: start again.
    if (logged === undefined) return everything(store, balancer);
    if (logged.size === 0) return { head, resources: checked(balancer, wants, head) };
    for (const name of logged.keys()) {
      const reference = parseReferenceKey(name);
      invariant(reference !== undefined, "a log entry names an object");
      wants.set(name, (await readWant(store, reference)).want);
    }
    read = head.revision;
  }
  throw new EntranceError("busy", `balancer ${balancer} changes faster than it can be read`, { retryAfterSeconds: 1 });
}

/** Objects and keys named by the revisions in (after, upTo]; undefined when one is not kept any more or names none. */
async function readLog(
  store: Store,
  balancer: string,
  after: number,
  upTo: number,
): Promise<Map<string, Set<string>> | undefined> {
  const logged = new Map<string, Set<string>>();
  if (upTo - after > keptRevisions) return undefined;
  for (let revision = after; revision < upTo; ) {
    const page = await store.list(
      logPartition(balancer),
      revisionText(revision),
      Math.min(maxPageSize, upTo - revision),
    );
    if (page.entries.length === 0) return undefined;
    for (const entry of page.entries) {
      if (entry.key.sort !== revisionText(revision + 1)) return undefined;
      revision += 1;
      const { changed } = readLogEntry(entry);
      if (changed === null) return undefined;
      for (const [name, keys] of Object.entries(changed)) {
        const known = logged.get(name) ?? new Set<string>();
        for (const key of keys) known.add(key);
        logged.set(name, known);
      }
    }
  }
  return logged;
}

function valuesOf(
  balancer: string,
  changed: ReadonlyMap<string, ReadonlySet<string>>,
  wants: ReadonlyMap<string, Want>,
  head: Head,
): Resource[] {
  const resources: Resource[] = [];
  for (const [name, keys] of changed) {
    const wanted = wants.get(name)?.resources[balancer] ?? {};
    for (const key of keys) {
      const resource = wanted[key];
      resources.push(
        resource === undefined ? { key, revision: head.revision, hash: "", value: null } : { key, ...resource },
      );
    }
  }
  return resources;
}

function checked(balancer: string, wants: ReadonlyMap<string, Want>, head: Head): Resource[] {
  const resources: Resource[] = [];
  let digest = emptyDigest;
  for (const want of wants.values()) {
    for (const [key, resource] of Object.entries(want.resources[balancer] ?? {})) {
      digest = addToDigest(digest, key, resource.hash);
      resources.push({ key, ...resource });
    }
  }
  invariant(digest === head.digest, `the wants of balancer ${balancer} do not add up to its head's digest`);
  return resources;
}

async function readKind(store: Store, kind: ObjectKind, wants: Map<string, Want>): Promise<void> {
  for await (const entry of entriesOf(store, wantPartition(kind))) {
    const name = `${kind}/${entry.key.sort}`;
    const reference: Reference | undefined = parseReferenceKey(name);
    invariant(reference !== undefined, "a want's key names an object");
    const stored = await readWant(store, reference, entry);
    wants.set(name, stored.want);
  }
}
