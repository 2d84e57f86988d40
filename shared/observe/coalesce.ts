/** Several observations of one object in one list become one, since each would cost a commit of its own. */
import { contentHash } from "../model/canonical.ts";
import type { Observation } from "../model/observation.ts";
import { comparePositions, type Position } from "../model/position.ts";
import { referenceKey } from "../model/reference.ts";

type Positioned = Extract<Observation, { type: "object" | "gone" | "unusable" }>;

/**
 * Keeps, of each uid, the newest that can be used and the newest that cannot (the last good shape stays beside a
 * reason), and each burial and hint once. What is newest is decided as it is for what is known: by position; at equal
 * positions gone wins, then the larger content hash. The order of the list has no say.
 */
export function coalesce(observations: readonly Observation[]): Observation[] {
  const kept = new Map<string, Observation>();
  for (const observation of observations) {
    const key = `${groupOf(observation)} ${referenceKey(observation.reference)}`;
    const other = kept.get(key);
    if (other === undefined || isNewer(observation, other)) kept.set(key, observation);
  }
  return [...kept.values()];
}

function groupOf(observation: Observation): string {
  switch (observation.type) {
    case "hint":
      return "hint";
    case "object":
    case "gone":
      return `usable ${observation.uid}`;
    case "buried":
    case "unusable":
      return `${observation.type} ${observation.uid}`;
  }
}

function isNewer(a: Observation, b: Observation): boolean {
  if (!("position" in a) || !("position" in b)) return false;
  const order = comparePositions(placed(a), placed(b));
  if (order !== 0) return order > 0;
  if (a.type === "gone" || b.type === "gone") return b.type !== "gone";
  return contentHash(contentOf(a)) > contentHash(contentOf(b));
}

/** The era is the recorder's; within one list it is the same. */
function placed(observation: Positioned): Position {
  return { era: 0, ...observation.position };
}

function contentOf(observation: Positioned): unknown {
  return observation.type === "object" ? observation.object : observation.type === "unusable" ? observation.reason : "";
}
