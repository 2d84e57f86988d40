/** One item of a LIST: the object as it is, at its own version. */
import type { Observation, SentObservation } from "../model/observation.ts";
import type { Parsed } from "../model/parse.ts";
import type { SeenKind } from "../model/reference.ts";
import { type Identity, parseIdentity } from "./identity.ts";
import { wireKindOf } from "./kind.ts";
import { observeObject } from "./object.ts";
import type { ObserveSettings } from "./settings.ts";

export type ListedObservation = Extract<Observation, { type: "object" | "unusable" }> | SentObservation;

/** Who it is, at which version; nothing of what it says. */
export function observeIdentity(kind: SeenKind, wire: unknown): Parsed<Identity> {
  return parseIdentity(wireKindOf(kind), wire);
}

export function observeListed(kind: SeenKind, wire: unknown, settings: ObserveSettings): Parsed<ListedObservation> {
  const wireKind = wireKindOf(kind);
  const identity = parseIdentity(wireKind, wire);
  if (!identity.ok) return identity;
  const { resourceVersion } = identity.value;
  if (resourceVersion === undefined) return { ok: false, reason: "metadata.resourceVersion: is missing" };
  const position = { resourceVersion, step: 0 } as const;
  return { ok: true, value: observeObject(wireKind, wire, identity.value, position, settings) };
}
