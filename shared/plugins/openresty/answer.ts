/** What a node's admin API v2 answers. */
import * as v from "valibot";

/** Fields that we do not know are left alone: a newer node may tell more. */
const fields = {
  store: v.string(),
  epoch: v.number(),
  revision: v.number(),
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, "must be 40 hex digits")),
};

const rejected = v.optional(v.array(v.object({ key: v.string(), reason: v.string() })), []);

export const stateSchema = v.object({ ...fields, rejected });

export const conflictSchema = v.object({
  ...fields,
  rejected,
  reason: v.picklist(["older", "base", "digest", "store", "epoch"]),
});
