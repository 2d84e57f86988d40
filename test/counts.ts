/** What came of a run of tests, and the line that says so. */
import type { Vitest } from "vitest/node";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export function countsOf({ state }: Vitest): Counts {
  const counts = { passed: 0, failed: 0 };
  for (const module of state.getTestModules()) {
    const before = counts.failed;
    for (const test of module.children.allTests()) {
      const { state: outcome } = test.result();
      if (outcome === "passed") counts.passed += 1;
      if (outcome === "failed" || outcome === "pending") counts.failed += 1;
    }
    // A file that cannot be loaded, or whose hooks fail, has no failing test to show for it.
    if (!module.ok() && counts.failed === before) counts.failed += 1;
  }
  counts.failed += state.getUnhandledErrors().length;
  // Nothing run is nothing proved: a filter that matches no file fails.
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  return counts;
}

export function sumOf(all: readonly Counts[]): Counts {
  const sum = (of: (counts: Counts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  return { passed: sum(({ passed }) => passed), failed: sum(({ failed }) => failed) };
}

export function countsLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

/** Of the last line that says it; undefined: none does. */
export function readCounts(text: string): Counts | undefined {
  const [, passed, failed] = [...text.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}
