/** Where each millisecond of a new route goes: means over all of them, from the beginning of the write. */
import { rounded } from "../statistics.ts";
import { mean } from "./figures.ts";
import type { Timed } from "./new-route.ts";
import type { TraceEvent } from "./trace.ts";

export interface Stage {
  readonly stage: string;
  readonly ms: number;
  /** From the write's return; below 0: before it. */
  readonly endsAtMs: number;
}

interface Way {
  readonly review: bigint;
  readonly reviewAnswered: bigint;
  readonly lastRead: bigint;
  readonly lastReadAnswered: bigint;
  readonly push: bigint;
  readonly pushAnswered: bigint;
  readonly reads: number;
  readonly storeInReview: number;
  readonly storeAfterRead: number;
}

export interface TraceTable {
  readonly stages: readonly Stage[];
  /** How many requests a route took, on average. */
  readonly counts: Readonly<Record<"reads" | "storeCallsInReview" | "storeCallsFromReadToPush", number>>;
  /** Routes that could be followed all the way. */
  readonly routes: number;
}

export function traceTable(timed: readonly Timed[], events: readonly TraceEvent[]): TraceTable {
  const at = events.map((event) => ({ ...event, ns: BigInt(event.at) }));
  const followed: { timed: Timed; way: Way }[] = [];
  let start = 0;
  for (const each of timed) {
    while (start < at.length && (at[start]?.ns ?? 0n) < each.begun) start += 1;
    const of: { what: TraceEvent["what"]; ns: bigint }[] = [];
    for (let index = start; index < at.length; index += 1) {
      const event = at[index];
      if (event === undefined || event.ns > each.served) break;
      of.push(event);
    }
    const way = wayOf(of);
    if (way !== undefined) followed.push({ timed: each, way });
  }
  const average = (of: (each: { timed: Timed; way: Way }) => bigint) =>
    mean(followed.map((each) => Number(of(each)) / 1e6));
  const number = (of: (way: Way) => number) => rounded(mean(followed.map(({ way }) => of(way))), 2);
  const points: readonly (readonly [string, (each: { timed: Timed; way: Way }) => bigint])[] = [
    ["the apiserver, until it asks (write)", ({ way }) => way.review],
    ["review: translated, hint durable (ours, store)", ({ way }) => way.reviewAnswered],
    ["until it is committed and sent to be read back", ({ way }) => way.lastRead],
    ["read back (apiserver)", ({ way }) => way.lastReadAnswered],
    ["seen, turn, commits (ours, store)", ({ way }) => way.push],
    ["push (node)", ({ way }) => way.pushAnswered],
    ["until the next question is answered 200 (polling)", ({ timed: { served } }) => served],
  ];
  let before = (each: { timed: Timed; way: Way }) => each.timed.begun;
  const stages = points.map(([stage, point]) => {
    const from = before;
    before = point;
    return {
      stage,
      ms: rounded(
        average((each) => point(each) - from(each)),
        2,
      ),
      endsAtMs: rounded(
        average((each) => point(each) - each.timed.written),
        2,
      ),
    };
  });
  return {
    stages,
    counts: {
      reads: number(({ reads }) => reads),
      storeCallsInReview: number(({ storeInReview }) => storeInReview),
      storeCallsFromReadToPush: number(({ storeAfterRead }) => storeAfterRead),
    },
    routes: followed.length,
  };
}

/** Undefined: something else happened beside it, or it came another way. */
function wayOf(events: readonly { readonly what: TraceEvent["what"]; readonly ns: bigint }[]): Way | undefined {
  const first = (what: TraceEvent["what"]) => events.find((event) => event.what === what)?.ns;
  const before = (what: TraceEvent["what"], ns: bigint) =>
    events.findLast((event) => event.what === what && event.ns < ns)?.ns;
  const [review, reviewAnswered] = [first("review"), first("review-answered")];
  // Others' changes are pushed meanwhile: the route came with the last push before it was served, or one just before.
  const pushAnswered = events.findLast(({ what }) => what === "push-answered")?.ns;
  const push = pushAnswered === undefined ? undefined : before("push", pushAnswered);
  if (review === undefined || reviewAnswered === undefined || pushAnswered === undefined || push === undefined) {
    return undefined;
  }
  const lastReadAnswered = before("read-answered", push);
  const lastRead = lastReadAnswered === undefined ? undefined : before("read", lastReadAnswered);
  if (lastRead === undefined || lastReadAnswered === undefined) return undefined;
  if (lastRead < reviewAnswered) return undefined;
  const count = (what: TraceEvent["what"], from: bigint, to: bigint) =>
    events.filter((event) => event.what === what && event.ns >= from && event.ns <= to).length;
  return {
    review,
    reviewAnswered,
    lastRead,
    lastReadAnswered,
    push,
    pushAnswered,
    reads: count("read", reviewAnswered, push),
    storeInReview: count("store", review, reviewAnswered),
    storeAfterRead: count("store", lastReadAnswered, push),
  };
}
