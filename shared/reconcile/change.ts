/** From what an object wanted and what its translation says now to what changes on one balancer. Pure. */
import { contentHash } from "../model/canonical.ts";
import { addToDigest, removeFromDigest } from "../model/digest.ts";
import type { Resource } from "../plugins/port.ts";
import type { Head } from "./head.ts";
import type { BalancerChange } from "./revisions.ts";
import type { WantedResource } from "./want.ts";

export interface Changed extends BalancerChange {
  /** All that the object wants on this balancer from now on. */
  readonly wanted: Readonly<Record<string, WantedResource>>;
}

/** Keeps what is equal with its revision; everything else gets the revision after the head's. */
export function changeOf(
  balancer: string,
  head: Head,
  before: Readonly<Record<string, WantedResource>>,
  after: Readonly<Record<string, unknown>>,
): Changed {
  const revision = head.revision + 1;
  const wanted: Record<string, WantedResource> = {};
  const resources: Resource[] = [];
  let { digest } = head;
  for (const [key, value] of Object.entries(after)) {
    const hash = contentHash(value);
    const last = before[key];
    if (last?.hash === hash) {
      // What is sealed in it may have been sealed anew, which is no change to a node.
      wanted[key] = { ...last, value };
      continue;
    }
    if (last !== undefined) digest = removeFromDigest(digest, key, last.hash);
    digest = addToDigest(digest, key, hash);
    wanted[key] = { revision, hash, value };
    resources.push({ key, revision, hash, value });
  }
  for (const [key, last] of Object.entries(before)) {
    if (key in after) continue;
    digest = removeFromDigest(digest, key, last.hash);
    resources.push({ key, revision, hash: "", value: null });
  }
  return { balancer, digest, resources, wanted };
}
