/**
 * When something was true of an object, in the apiserver's own order. Never compared with a clock.
 *
 * A resourceVersion is an unbounded decimal (Kubernetes: "Resource versions", comparable since v1.35), so it stays text.
 */
export interface Position {
  /** Goes up when the cluster's own store was restored from a backup. */
  readonly era: number;
  /** Decimal digits without leading zeros. */
  readonly resourceVersion: string;
  /** 0: committed as seen. 1: a review of what would follow this version. 2: the end of the object at this version. */
  readonly step: 0 | 1 | 2;
}

/** At most this many digits are taken as a resourceVersion (64 bits need 20). */
export const maxResourceVersionDigits = 40;

/** Returns the digits without leading zeros; undefined when the text is no unbounded decimal. */
export function parseResourceVersion(text: string): string | undefined {
  if (text.length > maxResourceVersionDigits || !/^[0-9]+$/.test(text)) return undefined;
  return text.replace(/^0+(?=[0-9])/, "");
}

/** Negative: a is before b. Zero: the same. Positive: a is after b. */
export function comparePositions(a: Position, b: Position): number {
  return a.era - b.era || compareDecimals(a.resourceVersion, b.resourceVersion) || a.step - b.step;
}

function compareDecimals(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
