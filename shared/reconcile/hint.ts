/** A hint says that an object is to be read back. It is durable, so that it outlives whoever was told of it. */
import * as v from "valibot";
import { contentHash } from "../model/canonical.ts";
import type { Observation, SeenReference } from "../model/observation.ts";
import { comparePositions } from "../model/position.ts";
import { type Entry, maxCommitKeys } from "../store/port.ts";
import { hintKey } from "./keys.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";

/** What a review was of. It is not committed yet: what is read back is good once it is this, or something newer. */
const wanted = v.object({
  /** There, not any more, or nobody knows. */
  what: v.picklist(["there", "gone", "any"]),
  uid: v.string(),
  /** Of the object as it was before; "0": there was none. */
  resourceVersion: v.string(),
  /** Of its content as it would be. */
  hash: v.string(),
});

export type Wanted = v.InferOutput<typeof wanted>;

const schema = v.object({
  /** Ms since 1970. */
  first: v.number(),
  /** Ms since 1970: until then whoever was told is at it. */
  due: v.number(),
  tries: v.number(),
  /** Absent: what was told has been committed already. */
  wanted: v.optional(wanted),
});

export type Hint = v.InferOutput<typeof schema>;

export function wishOf(observation: Extract<Observation, { type: "object" | "gone" | "hint" }>): Wanted {
  if (observation.type === "hint") return { what: "any", uid: "", resourceVersion: "0", hash: "" };
  const { uid, position } = observation;
  const { resourceVersion } = position;
  if (observation.type === "gone") return { what: "gone", uid, resourceVersion, hash: "" };
  return { what: "there", uid, resourceVersion, hash: contentHash(observation.object) };
}

/** Whoever left it reads back at once, for about so long; then it is everybody's. */
const ownMs = 3_000;

export function readHint(entry: Entry): Hint {
  return readRecord(schema, entry);
}

export function hintText({ now, host }: Context, wish: Wanted | undefined): string {
  // Where nothing goes on after an answer, the next tick reads it.
  const due = now() + (host.standsStill ? 0 : ownMs);
  const hint: Hint = { first: now(), due, tries: 0, ...(wish === undefined ? {} : { wanted: wish }) };
  return JSON.stringify(hint);
}

/** Coalesced by object: a later one takes the place of one that stands. */
export async function leaveHints(context: Context, references: readonly SeenReference[], wish?: Wanted): Promise<void> {
  for (let start = 0; start < references.length; start += maxCommitKeys) {
    const writes = references
      .slice(start, start + maxCommitKeys)
      .map((reference) => ({ key: hintKey(reference), value: hintText(context, wish) }));
    await context.store.commit([], writes);
  }
}

/** What a read back found. */
export type Found =
  | { readonly type: "absent" }
  /** No role allows to read it. */
  | { readonly type: "closed" }
  /** A Secret that nothing refers to. */
  | { readonly type: "stranger" }
  | { readonly type: "present"; readonly uid: string; readonly resourceVersion: string; readonly hash: string };

/** Whether what was reviewed is there by now, or something newer. */
export function isMet(wish: Wanted | undefined, found: Found): boolean {
  if (wish === undefined) return true;
  if (found.type === "closed") return true;
  // Something may refer to it by the time that it is written.
  if (found.type === "stranger") return false;
  if (wish.what === "any") return false;
  // Of a create: not yet, or never. Of an update or a delete: whatever was reviewed is past.
  if (found.type === "absent") return wish.what === "gone" || wish.resourceVersion !== "0";
  if (found.uid !== wish.uid) return true;
  const position = (resourceVersion: string) => ({ era: 0, resourceVersion, step: 0 }) as const;
  if (comparePositions(position(found.resourceVersion), position(wish.resourceVersion)) > 0) return true;
  return wish.what === "there" && found.hash === wish.hash;
}
