/** Medians and spreads; figures are compared as ratios of interleaved pairs. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Nearest rank; NaN for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export interface Ratio {
  readonly median: number;
  /** The middle half of the pairs' ratios. */
  readonly spread: readonly [number, number];
}

/** Pair by pair, so that a machine that gets slower gets slower for both. */
export function ratioOf(a: readonly number[], b: readonly number[]): Ratio {
  const ratios = a.flatMap((value, index) => {
    const other = b[index];
    return other === undefined ? [] : [value / other];
  });
  return {
    median: rounded(median(ratios)),
    spread: [rounded(quantile(ratios, 0.25)), rounded(quantile(ratios, 0.75))],
  };
}

export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
