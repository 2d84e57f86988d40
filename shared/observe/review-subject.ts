/** What a review says of the object that it is about. */
import type { Observation, ObservedPosition, SentObservation } from "../model/observation.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { type Identity, parseIdentity, parseReference } from "./identity.ts";
import { knownVersion, type WireKind, wireKindNamed } from "./kind.ts";
import { observeObject } from "./object.ts";
import type { ReviewRequest } from "./review-request.ts";
import type { ObserveSettings } from "./settings.ts";
import { meaningOf } from "./sub-resource.ts";

export type ReviewSubject =
  /** A kind or a part that we do not keep: allowed, and nothing of it is passed on. */
  | { readonly type: "irrelevant" }
  | {
      readonly type: "observed";
      readonly observation: Extract<Observation, { type: "object" | "gone" }> | SentObservation;
      /** Of an update: the object as it was, if it was usable. It is read only when it is asked for. */
      readonly before?: () => Extract<Observation, { type: "object" }> | SentObservation | undefined;
    }
  | { readonly type: "hint"; readonly observation: Extract<Observation, { type: "hint" }> }
  /**
   * Denied with this reason: the apiserver would never send it, or nothing could be made of it. `wasSo`: nor of what is
   * stored, so that a refusal would only hold up whoever changes something else.
   */
  | { readonly type: "unusable"; readonly reason: string; readonly wasSo?: boolean };

/**
 * | review                                             | says                                            |
 * |----------------------------------------------------|-------------------------------------------------|
 * | kind not stored, CONNECT, `proxy`                  | nothing                                         |
 * | a Secret that is and was none of ours              | nothing                                         |
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
export function subjectOf(request: ReviewRequest, settings: ObserveSettings): ReviewSubject {
  const kind = wireKindNamed(request.kind.group, request.kind.kind);
  if (kind === undefined || request.operation === "CONNECT") return { type: "irrelevant" };
  const meaning = meaningOf(kind, request.subResource);
  if (meaning === "nothing") return { type: "irrelevant" };
  // One that is ours no more is kept as one without content.
  if (kind.isKept?.(request.object) === false && kind.isKept(request.oldObject) === false)
    return { type: "irrelevant" };
  if (meaning === "hint" || request.kind.version !== knownVersion) {
    return hintOf(parseReference(kind, request.namespace, request.name));
  }
  if (request.operation === "DELETE") return deletion(kind, request);
  const identity = parseIdentity(kind, request.object);
  if (!identity.ok) return { type: "unusable", reason: identity.reason };
  return write(kind, request, identity.value, settings);
}

function write(kind: WireKind, request: ReviewRequest, identity: Identity, settings: ObserveSettings): ReviewSubject {
  const position = positionOf(kind, request);
  const isDeleted = identity.deletionTimestamp !== undefined;
  if (position !== undefined && isDeleted && !identity.held) return gone(identity, position.resourceVersion);
  if (position === undefined || isDeleted || request.subResource !== "") {
    return hintOf({ ok: true, value: identity.reference });
  }
  const observation = observeObject(kind, request.object, identity, position, settings);
  const old = () => observeObject(kind, request.oldObject, identity, position, settings);
  if (observation.type === "unusable") {
    const before = request.operation === "UPDATE" ? old() : undefined;
    const { reason } = observation;
    return { type: "unusable", reason, wasSo: before?.type === "unusable" && before.reason === reason };
  }
  if (request.operation !== "UPDATE") return { type: "observed", observation };
  const before = () => {
    const found = old();
    return found.type === "unusable" ? undefined : found;
  };
  return { type: "observed", observation, before };
}

function positionOf(kind: WireKind, request: ReviewRequest): ObservedPosition | undefined {
  if (request.operation === "CREATE") return { resourceVersion: "0", step: 1 };
  const old = parseIdentity(kind, request.oldObject);
  const resourceVersion = old.ok ? old.value.resourceVersion : undefined;
  return resourceVersion === undefined ? undefined : { resourceVersion, step: 1 };
}

/** A deletecollection's reviews have no name of their own: it is in the old object. */
function deletion(kind: WireKind, request: ReviewRequest): ReviewSubject {
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
