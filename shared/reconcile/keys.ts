/** Where everything lies in the store. ARCHITECTURE.md, "The store", has the same table in words. */
import type { SeenReference } from "../model/observation.ts";
import { type ObjectKind, parseReferenceKey, type Reference, referenceKey, type SeenKind } from "../model/reference.ts";
import type { Key } from "../store/port.ts";

export const lockKey: Key = { partition: "lock", sort: "lock" };
export const rulesKey: Key = { partition: "rules", sort: "rules" };

export const dirtyPartition = "dirty";
export const laterPartition = "later";
export const refusedPartition = "refused";
/** Objects that are to be read back. */
export const hintPartition = "hint";
/** When the cluster was last heard. */
export const heardKey = (way: "review" | "audit"): Key => ({ partition: heardPartition, sort: way });
/** Objects whose users are to be told something else. */
export const announcePartition = "announce";
export const headPartition = "head";
export const floorPartition = "floor";
export const tickPartition = "tick";
export const heardPartition = "heard";
export const clusterKey: Key = { partition: "cluster", sort: "cluster" };

export const seenPartition = (kind: ObjectKind): string => `seen/${kind}`;
export const wantPartition = (kind: ObjectKind): string => `want/${kind}`;
/** Parts of a want that is too large for one record. */
export const partsPartition = (reference: Reference): string => `part/${referenceKey(reference)}`;
export const usersPartition = (reference: Reference): string => `users/${referenceKey(reference)}`;
export const nodesPartition = (balancer: string): string => `node/${encodeURIComponent(balancer)}`;
export const logPartition = (balancer: string): string => `log/${encodeURIComponent(balancer)}`;

/** NAMESPACE/NAME within a partition of one kind; `/` cannot occur in an encoded segment. */
function withinKind(reference: Reference): string {
  return `${encodeURIComponent(reference.namespace)}/${encodeURIComponent(reference.name)}`;
}

export const seenKey = (reference: Reference): Key => ({
  partition: seenPartition(reference.kind),
  sort: withinKind(reference),
});
export const wantKey = (reference: Reference): Key => ({
  partition: wantPartition(reference.kind),
  sort: withinKind(reference),
});
export const dirtyKey = (reference: Reference): Key => ({ partition: dirtyPartition, sort: referenceKey(reference) });
export const laterKey = (reference: Reference): Key => ({ partition: laterPartition, sort: referenceKey(reference) });
export const hintKey = (reference: Reference): Key => ({ partition: hintPartition, sort: referenceKey(reference) });
const referred = "/referred";
/** Of a Secret that something begins to refer to: beside a hint of its own, which may wait for a write under way. */
export const referredKey = (reference: Reference): Key => ({
  partition: hintPartition,
  sort: referenceKey(reference) + referred,
});
/** The Secret whose {@link referredKey} this is. */
export function referredIn({ partition, sort }: Key): SeenReference | undefined {
  const secret = partition === hintPartition && sort.endsWith(referred) ? hinted(sort) : undefined;
  return secret?.kind === "Secret" ? { ...secret, kind: "Secret" } : undefined;
}
/** What a hint is of. */
export function hinted(sort: string): Reference | undefined {
  return parseReferenceKey(sort.endsWith(referred) ? sort.slice(0, -referred.length) : sort);
}
export const announceKey = (reference: Reference): Key => ({
  partition: announcePartition,
  sort: referenceKey(reference),
});
export const floorKey = (kind: SeenKind): Key => ({ partition: floorPartition, sort: kind });
export const refusedKey = (reference: Reference): Key => ({
  partition: refusedPartition,
  sort: referenceKey(reference),
});

/** Events that name no object share 32 places, so that however many come, no more is kept. */
export function refusedEventKey(id: string): Key {
  let place = 0;
  for (const character of id) place = (place * 31 + (character.codePointAt(0) ?? 0)) % 32;
  return { partition: refusedPartition, sort: `Event//${place}` };
}

export const userKey = (of: Reference, user: Reference): Key => ({
  partition: usersPartition(of),
  sort: referenceKey(user),
});

export const headKey = (balancer: string): Key => ({
  partition: headPartition,
  sort: encodeURIComponent(balancer),
});

/** 16 digits, so that the order of keys is that of revisions. */
export const logKey = (balancer: string, revision: number): Key => ({
  partition: logPartition(balancer),
  sort: revisionText(revision),
});

export function revisionText(revision: number): string {
  return String(revision).padStart(16, "0");
}

/** A node's URL is its name; it has no user or password (functions/config.ts refuses those). */
export const nodeRecordKey = (balancer: string, node: string): Key => ({
  partition: nodesPartition(balancer),
  sort: encodeURIComponent(node),
});

export const tickKey = (name: string): Key => ({ partition: tickPartition, sort: name });
