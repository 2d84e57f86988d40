/** From a wire object, whose identity is known, to an observation of it. */
import type { Observation, ObservedPosition, SentObservation } from "../model/observation.ts";
import { utf8Length } from "../model/utf8.ts";
import type { Identity } from "./identity.ts";
import type { WireKind } from "./kind.ts";
import type { ObserveSettings } from "./settings.ts";

/** A store keeps 350,000 bytes under one key; the rest is room for position, uid and the last good shape's reason. */
const maxSeenBytes = 300_000;

export function observeObject(
  kind: WireKind,
  wire: unknown,
  identity: Identity,
  position: ObservedPosition,
  settings: ObserveSettings,
): Extract<Observation, { type: "object" | "unusable" }> | SentObservation {
  const { reference, uid } = identity;
  const unusable = (reason: string) => ({ type: "unusable", reference, uid, position, reason }) as const;
  const trimmed = kind.trim(wire, settings);
  if (!trimmed.ok) return unusable(trimmed.reason);
  if (utf8Length(JSON.stringify(trimmed.value)) > maxSeenBytes) {
    return unusable(`it is larger than ${maxSeenBytes} bytes: split it into several objects`);
  }
  const observed = { type: "object", reference, uid, position } as const;
  // Told apart for the types: what was sent of a Secret must not pass for what is stored.
  const object = trimmed.value;
  return object.kind === "SentSecret" ? { ...observed, object } : { ...observed, object };
}
