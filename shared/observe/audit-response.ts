/** What the answer to a successful write, as an audit event carries it, says of the objects concerned. */
import * as v from "valibot";
import { isSent, type Observation } from "../model/observation.ts";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { type Identity, objectUid, parseIdentity, parseReference } from "./identity.ts";
import { apiVersionOf, type WireKind } from "./kind.ts";
import { observeObject } from "./object.ts";
import type { ObserveSettings } from "./settings.ts";

/** A successful write of a kind that is stored. */
export interface AuditedWrite {
  readonly kind: WireKind;
  readonly verb: "create" | "update" | "patch" | "delete" | "deletecollection";
  readonly subResource: string;
  readonly namespace: string;
  /** Empty for a create with generateName, and for a deletecollection. */
  readonly name: string;
  readonly response: unknown;
  /** What the delete asks for is a finalizer first: a list shows its items as they were before that. */
  readonly keeps: boolean;
  /** When it was answered, ms since 1970; undefined when the event does not say. */
  readonly answeredMs: number | undefined;
}

const named = v.object({ kind: v.string(), apiVersion: v.string() });
const statusSchema = v.object({
  status: v.literal("Success"),
  details: v.object({ name: v.nullish(v.string(), ""), uid: objectUid }),
});
const listSchema = v.object({ items: v.nullish(v.array(v.unknown(), told.list), []) }, told.object);

/**
 * | answer                                        | says                                                       |
 * |-----------------------------------------------|------------------------------------------------------------|
 * | the object, to a create, update or patch      | the object at (its version, 0)                             |
 * | … with a deletionTimestamp and no finalizers  | gone at (its version, 2)                                   |
 * | the object, to a delete                       | gone at (its version, 2), unless finalizers or a future    |
 * |                                               | deletionTimestamp hold it: then the object                 |
 * | the List of a deletecollection                | each item, as to a delete; nothing for an empty one        |
 * | a Status with a uid, to a delete              | that uid is buried                                         |
 * | anything less: a Status, a Table, only        | hint                                                       |
 * | metadata, another version, nothing at all     |                                                            |
 */
export function observeResponse(write: AuditedWrite, settings: ObserveSettings): readonly Parsed<Observation>[] {
  const { kind, verb, response } = write;
  const head = v.safeParse(named, response);
  const isOurs = head.success && head.output.apiVersion === apiVersionOf(kind);
  if (verb === "deletecollection") {
    if (!isOurs || head.output.kind !== `${kind.kind}List` || write.keeps) return [hint(write)];
    const list = parseWith(listSchema, response);
    return list.ok ? list.value.items.map((item) => observeOne(write, item, settings)) : [list];
  }
  if (isOurs && head.output.kind === kind.kind) return [observeOne(write, response, settings)];
  const isStatus = verb === "delete" && write.subResource === "" && head.success && head.output.kind === "Status";
  const status = v.safeParse(statusSchema, response);
  return [isStatus && status.success ? burial(write, status.output.details) : hint(write)];
}

function observeOne(write: AuditedWrite, wire: unknown, settings: ObserveSettings): Parsed<Observation> {
  const identity = parseIdentity(write.kind, wire);
  if (!identity.ok) return identity;
  const { reference, uid, resourceVersion } = identity.value;
  if (resourceVersion === undefined) return { ok: true, value: { type: "hint", reference } };
  if (isGone(write, identity.value)) {
    return { ok: true, value: { type: "gone", reference, uid, position: { resourceVersion, step: 2 } } };
  }
  const observation = observeObject(write.kind, wire, identity.value, { resourceVersion, step: 0 }, settings);
  return isSent(observation) ? hint(write) : { ok: true, value: observation };
}

function isGone(write: AuditedWrite, identity: Identity): boolean {
  if (identity.held) return false;
  const isDelete = write.verb === "delete" || write.verb === "deletecollection";
  if (!isDelete) return identity.deletionTimestamp !== undefined;
  // Only a delete can begin a period of grace; for the other verbs a clock that is ahead would hide the end.
  const endMs = identity.deletionTimestamp === undefined ? Number.NaN : Date.parse(identity.deletionTimestamp);
  return !(write.answeredMs !== undefined && endMs > write.answeredMs);
}

export function burial(write: AuditedWrite, { name, uid }: { name: string; uid: string }): Parsed<Observation> {
  const reference = parseReference(write.kind, write.namespace, write.name || name);
  return reference.ok ? { ok: true, value: { type: "buried", reference: reference.value, uid } } : reference;
}

const withName = v.object({ metadata: v.object({ name: v.string() }) });

/** A create with generateName has its name in the answer alone. */
export function hint(write: AuditedWrite): Parsed<Observation> {
  const answer = v.safeParse(withName, write.response);
  const name = write.name || (answer.success ? answer.output.metadata.name : "");
  const reference = parseReference(write.kind, write.namespace, name);
  return reference.ok ? { ok: true, value: { type: "hint", reference: reference.value } } : reference;
}
