/** Where each millisecond of a review goes: on average over all of them, and over the slowest, which make its p99. */
import { quantile, rounded } from "../statistics.ts";
import type { Admission, TimedReview } from "./admission.ts";
import { mean } from "./figures.ts";
import type { TraceEvent } from "./trace.ts";

/** Of the reviews, about the p99. */
const slowestShare = 0.02;

export interface ReviewStage {
  readonly stage: string;
  readonly ms: number;
  readonly slowestMs: number;
}

export interface AdmissionTable {
  readonly stages: readonly ReviewStage[];
  /** Of the copy that answers, on average: of a review, and of one of the slowest. */
  readonly counts: Readonly<Record<"storeCalls" | "othersStoreCalls" | "garbageMs", readonly [number, number]>>;
  /** That could be followed all the way. */
  readonly reviews: number;
}

interface Way {
  readonly timed: TimedReview;
  /** Ns: when the copy knew of it, when it first and last had to do with the store. */
  readonly known: bigint;
  readonly firstAsked: bigint;
  readonly lastStored: bigint;
  /** Ns in which the store was asked at least one thing. */
  readonly inStore: bigint;
  readonly storeCalls: number;
  readonly othersStoreCalls: number;
  readonly garbageMs: number;
}

export function admissionTable({ timed }: Admission, copies: readonly (readonly TraceEvent[])[]): AdmissionTable {
  const ways = copies.flatMap((events) => waysOf(events, timed));
  const lasted = ({ timed: { begun, answered } }: Way) => Number(answered - begun);
  const limit = quantile(ways.map(lasted), 1 - slowestShare);
  const slowest = ways.filter((way) => lasted(way) >= limit);
  const both = (of: (way: Way) => number) =>
    [rounded(mean(ways.map(of)), 2), rounded(mean(slowest.map(of)), 2)] as const;
  const stage = (name: string, of: (way: Way) => bigint): ReviewStage => {
    const [ms, slowestMs] = both((way) => Number(of(way)) / 1e6);
    return { stage: name, ms, slowestMs };
  };
  return {
    stages: [
      stage("sent, until the copy has its head (TLS, its thread)", ({ timed: { begun }, known }) => known - begun),
      stage("until the store is first asked (ours)", ({ known, firstAsked }) => firstAsked - known),
      stage("the store is asked (store)", ({ inStore }) => inStore),
      stage("between that (ours)", ({ firstAsked, lastStored, inStore }) => lastStored - firstAsked - inStore),
      stage(
        "answered, until that is read (ours, TLS, the bench)",
        ({ lastStored, timed }) => timed.answered - lastStored,
      ),
      stage("all of it", ({ timed }) => timed.answered - timed.begun),
    ],
    counts: {
      storeCalls: both(({ storeCalls }) => storeCalls),
      othersStoreCalls: both(({ othersStoreCalls }) => othersStoreCalls),
      garbageMs: both(({ garbageMs }) => garbageMs),
    },
    reviews: ways.length,
  };
}

/** Of the reviews that this copy answered, one after another. */
function waysOf(events: readonly TraceEvent[], timed: readonly TimedReview[]): Way[] {
  const at = events.map((event) => ({ ...event, ns: BigInt(event.at) }));
  const ways: Way[] = [];
  let start = 0;
  for (const each of timed) {
    while (start < at.length && (at[start]?.ns ?? 0n) < each.begun) start += 1;
    let end = start;
    while (end < at.length && (at[end]?.ns ?? 0n) <= each.answered) end += 1;
    const way = wayOf(each, at.slice(start, end));
    if (way !== undefined) ways.push(way);
    start = end;
  }
  return ways;
}

/** Undefined: another copy answered it. */
function wayOf(timed: TimedReview, events: readonly (TraceEvent & { readonly ns: bigint })[]): Way | undefined {
  const begun = events.find(({ what }) => what === "review");
  const own = events.filter(({ review }) => review !== undefined && review === begun?.review);
  const calls = own.filter(({ what }) => what === "store" || what === "store-answered");
  const [first, last] = [calls[0], calls.at(-1)];
  if (begun === undefined || first === undefined || last === undefined) return undefined;
  const others = events.filter(({ what, review }) => what === "store" && review !== begun.review);
  const garbage = events.filter(({ what }) => what === "garbage");
  return {
    timed,
    known: begun.ns,
    firstAsked: first.ns,
    lastStored: last.ns,
    inStore: busyNs(calls),
    storeCalls: calls.filter(({ what }) => what === "store").length,
    othersStoreCalls: others.length,
    garbageMs: garbage.reduce((sum, { ms = 0 }) => sum + ms, 0),
  };
}

/** Of calls side by side each moment counts once. */
function busyNs(calls: readonly { readonly what: TraceEvent["what"]; readonly ns: bigint }[]): bigint {
  let busy = 0n;
  let open = 0;
  let since = 0n;
  for (const { what, ns } of calls) {
    if (what === "store") {
      if (open === 0) since = ns;
      open += 1;
    } else {
      open -= 1;
      if (open === 0) busy += ns - since;
    }
  }
  return busy;
}
