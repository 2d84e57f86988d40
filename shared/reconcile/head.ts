/** Where a balancer's history stands: what its nodes should hold. */
import * as v from "valibot";
import { emptyDigest } from "../model/digest.ts";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

export const headSchema = v.object({
  format: v.literal(1),
  /** Random, made once: whose nodes these are. */
  store: v.string(),
  /** Goes up when this store was restored from a backup while its nodes had gone on. */
  epoch: v.number(),
  revision: v.number(),
  digest: v.string(),
  /** False until the first whole LIST is translated; nothing is pushed before. True at once without an API to list. */
  complete: v.boolean(),
  /** Ms since 1970: since then nothing is pushed, by an operator's command. All the rest goes on. */
  frozen: v.optional(v.number()),
  /** Ms since 1970: since then the store is closed (lock.ts), and another one drives these nodes. */
  closed: v.optional(v.number()),
  /** Stores whose nodes become this one's, by an operator's command. `until` in ms since 1970. */
  replaces: v.optional(v.array(v.object({ store: v.string(), until: v.number() }))),
});

export type Head = v.InferOutput<typeof headSchema>;

export function readHead(entry: Entry): Head;
export function readHead(entry: Entry | undefined): Head | undefined;
export function readHead(entry: Entry | undefined): Head | undefined {
  return entry === undefined ? undefined : readRecord(headSchema, entry);
}

export function firstHead(store: string, complete: boolean): Head {
  return { format: 1, store, epoch: 1, revision: 0, digest: emptyDigest, complete };
}

/** An operator has said that this store takes over nodes of that one. */
export function mayReplace({ replaces = [] }: Head, store: string, now: number): boolean {
  return replaces.some((each) => each.store === store && now < each.until);
}
