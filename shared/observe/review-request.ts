/** The request of an AdmissionReview, as far as it is read. */
import * as v from "valibot";
import { told } from "../model/parse.ts";

export const requestSchema = v.object(
  {
    /** It is given back in the answer; a UUID has 36 characters. */
    uid: v.pipe(v.string(told.text), v.minLength(1, "must not be empty"), v.maxLength(128, "is too long")),
    kind: v.object(
      { group: v.nullish(v.string(told.text), ""), version: v.string(told.text), kind: v.string(told.text) },
      told.object,
    ),
    subResource: v.nullish(v.string(told.text), ""),
    name: v.nullish(v.string(told.text), ""),
    namespace: v.nullish(v.string(told.text), ""),
    operation: v.picklist(["CREATE", "UPDATE", "DELETE", "CONNECT"], "must be CREATE, UPDATE, DELETE or CONNECT"),
    object: v.optional(v.unknown()),
    oldObject: v.optional(v.unknown()),
    dryRun: v.nullish(v.boolean(told.boolean), false),
    options: v.optional(v.unknown()),
  },
  told.object,
);

export type ReviewRequest = v.InferOutput<typeof requestSchema>;
