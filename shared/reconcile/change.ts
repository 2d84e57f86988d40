/** From what an object wanted and what its translation says now to what changes on each balancer. Pure. */
import { contentHash } from "../model/canonical.ts";
import { addToDigest, removeFromDigest } from "../model/digest.ts";
import type { Head } from "./head.ts";
import type { Want, WantedResource } from "./want.ts";

export interface BalancerChange {
  readonly balancer: string;
  readonly head: Head;
  /** Keys that changed or went. */
  readonly keys: readonly string[];
}

export interface Change {
  readonly resources: Want["resources"];
  readonly balancers: readonly BalancerChange[];
}

/** Keeps what is equal with its revision; everything else gets the balancer's next one. */
export function changeOf(
  before: Want["resources"],
  after: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  heads: ReadonlyMap<string, Head>,
): Change {
  const resources: Record<string, Record<string, WantedResource>> = {};
  const balancers: BalancerChange[] = [];
  for (const balancer of heads.keys()) {
    const head = heads.get(balancer);
    if (head === undefined) continue;
    const old = before[balancer] ?? {};
    const kept: Record<string, WantedResource> = {};
    const keys: string[] = [];
    let digest = head.digest;
    for (const [key, value] of Object.entries(after[balancer] ?? {})) {
      const hash = contentHash(value);
      const last = old[key];
      if (last?.hash === hash) {
        kept[key] = last;
        continue;
      }
      if (last !== undefined) digest = removeFromDigest(digest, key, last.hash);
      digest = addToDigest(digest, key, hash);
      kept[key] = { revision: head.revision + 1, hash, value };
      keys.push(key);
    }
    for (const [key, last] of Object.entries(old)) {
      if (key in kept) continue;
      digest = removeFromDigest(digest, key, last.hash);
      keys.push(key);
    }
    if (Object.keys(kept).length > 0) resources[balancer] = kept;
    if (keys.length > 0) balancers.push({ balancer, keys, head: { ...head, revision: head.revision + 1, digest } });
  }
  return { resources, balancers };
}
