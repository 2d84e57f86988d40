/** What a review, an audit event or a LIST says of one object, before anyone looks whether it is news. */
import type { Position } from "./position.ts";
import type { Reference, SeenKind } from "./reference.ts";
import type { SeenObject } from "./seen/object.ts";
import type { SentSecret } from "./sent-secret.ts";

/** The object's own name; only kinds that are stored can be observed. */
export interface SeenReference extends Reference {
  readonly kind: SeenKind;
}

export type Observation =
  /** It is (or by a review: is about to be) this. */
  | {
      readonly type: "object";
      readonly reference: SeenReference;
      readonly uid: string;
      readonly position: ObservedPosition;
      readonly object: SeenObject;
    }
  /** It is gone. */
  | {
      readonly type: "gone";
      readonly reference: SeenReference;
      readonly uid: string;
      readonly position: ObservedPosition;
    }
  /** A success of a delete that names no resourceVersion: it ends what is known under this uid, and nothing else. */
  | { readonly type: "buried"; readonly reference: SeenReference; readonly uid: string }
  /** It exists in a shape that cannot be used; its last good shape stays, with this reason beside it. */
  | {
      readonly type: "unusable";
      readonly reference: SeenReference;
      readonly uid: string;
      readonly position: ObservedPosition;
      readonly reason: string;
    }
  /** Something about it may have changed: worth reading back. An empty name means the whole kind of that namespace. */
  | { readonly type: "hint"; readonly reference: SeenReference };

/** The API was asked for one object, or for all, and it was not there; `position` is that of the answer. */
export interface Absence {
  readonly type: "absent";
  readonly reference: SeenReference;
  readonly position: ObservedPosition;
}

/** What a review says of a Secret before it may be kept: what is secret in it is sealed first. */
export type SentObservation = Omit<Extract<Observation, { type: "object" }>, "object"> & {
  readonly object: SentSecret;
};

export function isSent(observation: Observation | SentObservation): observation is SentObservation {
  return observation.type === "object" && observation.object.kind === "SentSecret";
}

/** A position as the wire tells it; the era is added by the one who records it. */
export type ObservedPosition = Omit<Position, "era">;
