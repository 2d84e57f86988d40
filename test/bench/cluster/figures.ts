/** What `npm run bench -- cluster --json` prints. Times in milliseconds unless their names say otherwise. */
import { quantile, rounded } from "../statistics.ts";

export interface NewRouteFigures {
  readonly routes: number;
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Neither 404 before nor 200 after. */
  readonly wrongAnswers: number;
  /** Of the write itself, which is over before the clock starts. */
  readonly writeMeanMs: number;
}

export interface ClusterFigures {
  readonly newRoute?: NewRouteFigures;
  readonly newRouteUnderChurn?: NewRouteFigures & {
    /** EndpointSlices that were written meanwhile, all in all and in a second. */
    readonly slicesWritten: number;
    readonly slicesPerSecond: number;
  };
  readonly changedRoute?: { readonly requests: number; readonly wrongAnswers: number; readonly changes: number };
  readonly endpointRemoval?: { readonly p99Ms: number; readonly medianMs: number; readonly removals: number };
  readonly burst1000?: {
    /** From the last write's return until each node serves all of them. */
    readonly seconds: number;
    readonly writeSeconds: number;
    readonly nodes: number;
    readonly wrongAnswers: number;
  };
  readonly admission?: {
    readonly p99Ms100: number;
    readonly p99Ms10000: number;
    readonly medianMs100: number;
    readonly medianMs10000: number;
  };
  readonly resyncUnchanged?: { readonly bytesToNodes: number; readonly seconds10000: number };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function newRouteFigures(
  served: readonly number[],
  written: readonly number[],
  wrongAnswers: number,
): NewRouteFigures {
  return {
    routes: served.length,
    meanMs: rounded(mean(served), 2),
    p99Ms: rounded(quantile(served, 0.99), 2),
    maxMs: rounded(Math.max(...served), 2),
    wrongAnswers,
    writeMeanMs: rounded(mean(written), 2),
  };
}
