/** Where a balancer's history stands: what its nodes should hold. */
import * as v from "valibot";
import { emptyDigest } from "../model/digest.ts";
import type { Entry } from "../store/port.ts";
import { readRecord } from "./record.ts";

const schema = v.object({
  format: v.literal(1),
  /** Random, made once: whose nodes these are. */
  store: v.string(),
  /** Goes up when this store was restored from a backup while its nodes had gone on. */
  epoch: v.number(),
  revision: v.number(),
  digest: v.string(),
  /** False until the first whole LIST is translated; nothing is pushed before. True at once without an API to list. */
  complete: v.boolean(),
});

export type Head = v.InferOutput<typeof schema>;

export function readHead(entry: Entry | undefined): Head | undefined {
  return entry === undefined ? undefined : readRecord(schema, entry);
}

export function firstHead(store: string, complete: boolean): Head {
  return { format: 1, store, epoch: 1, revision: 0, digest: emptyDigest, complete };
}
