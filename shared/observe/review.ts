/** AdmissionReview admission.k8s.io/v1: what is about to happen to one object. */
import * as v from "valibot";
import type { Observation, ObservedPosition, SeenReference } from "../model/observation.ts";
import { parseWith, told } from "../model/parse.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { type Identity, parseIdentity, parseReference } from "./identity.ts";
import { knownVersion, type WireKind, wireKindNamed } from "./kind.ts";
import { observeObject } from "./object.ts";
import type { ObserveSettings } from "./settings.ts";
import { meaningOf } from "./sub-resource.ts";

const requestSchema = v.object(
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

const schema = v.object(
  {
    apiVersion: v.literal("admission.k8s.io/v1", "must be admission.k8s.io/v1"),
    kind: v.literal("AdmissionReview", "must be AdmissionReview"),
    request: requestSchema,
  },
  told.object,
);

type Request = v.InferOutput<typeof requestSchema>;

export type ReviewSubject =
  /** A kind or a part that we do not keep: allowed, and nothing of it is passed on. */
  | { readonly type: "irrelevant" }
  | { readonly type: "observed"; readonly observation: Extract<Observation, { type: "object" | "gone" }> }
  | { readonly type: "hint"; readonly observation: Extract<Observation, { type: "hint" }> }
  /** Denied with this reason: the apiserver would never send it, or nothing could be made of it. */
  | { readonly type: "unusable"; readonly reason: string };

export type DecodedReview =
  /** No AdmissionReview at all. */
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      readonly uid: string;
      readonly operation: Request["operation"];
      readonly dryRun: boolean;
      /** Where it could be told; always for `observed` and `hint`. */
      readonly reference?: SeenReference;
      readonly subject: ReviewSubject;
    };

/**
 * | review                                             | says                                            |
 * |----------------------------------------------------|-------------------------------------------------|
 * | kind not stored, CONNECT, `proxy`                  | nothing                                         |
 * | another version of a stored kind                   | hint                                            |
 * | CREATE                                             | the object at (0, 1)                            |
 * | UPDATE                                             | the object at (the old one's, 1)                |
 * | UPDATE that leaves it deleted without finalizers   | gone at (the old one's, 2)                      |
 * | UPDATE of its status, or while it is being deleted | hint: whoever writes could not mend the object, |
 * |                                                    | and a refusal would only hold it up             |
 * | DELETE                                             | gone at (the old one's, 2)                      |
 * | DELETE that finalizers or its own policy hold      | hint: it stays for now                          |
 * | without the old object                             | hint: there is no position                      |
 */
export function decodeReview(body: unknown, settings: ObserveSettings): DecodedReview {
  const parsed = parseWith(schema, body);
  if (!parsed.ok) return { ok: false, reason: `no AdmissionReview of admission.k8s.io/v1: ${parsed.reason}` };
  const { request } = parsed.value;
  const subject = subjectOf(request, settings);
  return {
    ok: true,
    uid: request.uid,
    operation: request.operation,
    dryRun: request.dryRun || readDeleteOptions(request.options).dryRun,
    ...("observation" in subject ? { reference: subject.observation.reference } : {}),
    subject,
  };
}

function subjectOf(request: Request, settings: ObserveSettings): ReviewSubject {
  const kind = wireKindNamed(request.kind.group, request.kind.kind);
  if (kind === undefined || request.operation === "CONNECT") return { type: "irrelevant" };
  const meaning = meaningOf(kind, request.subResource);
  if (meaning === "nothing") return { type: "irrelevant" };
  if (meaning === "hint" || request.kind.version !== knownVersion) {
    return hintOf(parseReference(kind, request.namespace, request.name));
  }
  if (request.operation === "DELETE") return deletion(kind, request);
  const identity = parseIdentity(kind, request.object);
  if (!identity.ok) return { type: "unusable", reason: identity.reason };
  return write(kind, request, identity.value, settings);
}

function write(kind: WireKind, request: Request, identity: Identity, settings: ObserveSettings): ReviewSubject {
  const position = positionOf(kind, request);
  const isDeleted = identity.deletionTimestamp !== undefined;
  if (position !== undefined && isDeleted && !identity.held) return gone(identity, position.resourceVersion);
  if (position === undefined || isDeleted || request.subResource !== "") {
    return hintOf({ ok: true, value: identity.reference });
  }
  const observation = observeObject(kind, request.object, identity, position, settings);
  return observation.type === "unusable"
    ? { type: "unusable", reason: observation.reason }
    : { type: "observed", observation };
}

function positionOf(kind: WireKind, request: Request): ObservedPosition | undefined {
  if (request.operation === "CREATE") return { resourceVersion: "0", step: 1 };
  const old = parseIdentity(kind, request.oldObject);
  const resourceVersion = old.ok ? old.value.resourceVersion : undefined;
  return resourceVersion === undefined ? undefined : { resourceVersion, step: 1 };
}

/** A deletecollection's reviews have no name of their own: it is in the old object. */
function deletion(kind: WireKind, request: Request): ReviewSubject {
  if (request.oldObject === undefined || request.oldObject === null) {
    return hintOf(parseReference(kind, request.namespace, request.name));
  }
  const old = parseIdentity(kind, request.oldObject);
  if (!old.ok) return { type: "unusable", reason: old.reason };
  const { resourceVersion, reference, held } = old.value;
  const stays = held || readDeleteOptions(request.options).keeps || resourceVersion === undefined;
  return stays ? hintOf({ ok: true, value: reference }) : gone(old.value, resourceVersion);
}

function gone({ reference, uid }: Identity, resourceVersion: string): ReviewSubject {
  return { type: "observed", observation: { type: "gone", reference, uid, position: { resourceVersion, step: 2 } } };
}

function hintOf(reference: ReturnType<typeof parseReference>): ReviewSubject {
  return reference.ok
    ? { type: "hint", observation: { type: "hint", reference: reference.value } }
    : { type: "unusable", reason: reference.reason };
}
