/** Where the time of a burst goes, once its last write has returned: when each stage was done with the last of it. */
import { rounded } from "../statistics.ts";
import type { Burst } from "./burst.ts";
import type { TraceEvent } from "./trace.ts";

export interface BurstTable {
  /** Ms after the last write's return; below 0: before it. */
  readonly ends: Readonly<Record<string, number>>;
  /** Requests of all copies from then until all of it was served. */
  readonly counts: Readonly<Record<"reads" | "storeCalls" | "pushes", number>>;
}

export function burstTable({ written, served, askedInMs }: Burst, events: readonly TraceEvent[]): BurstTable {
  const before = events.map(({ what, at }) => ({ what, ns: BigInt(at) })).filter(({ ns }) => ns <= served);
  const endOf = (what: TraceEvent["what"]) => {
    const last = before.findLast((event) => event.what === what)?.ns ?? written;
    return rounded(Number(last - written) / 1e6);
  };
  const count = (what: TraceEvent["what"]) =>
    before.filter((event) => event.what === what && event.ns > written).length;
  return {
    ends: {
      "reviews are answered (ours, store)": endOf("review-answered"),
      "all of it is read back (apiserver)": endOf("read-answered"),
      "translated, committed, sent to the last node (ours, store)": endOf("push"),
      "taken by the last node": endOf("push-answered"),
      "asked for and answered 200 (polling)": rounded(Number(served - written) / 1e6),
      "the same questions once more, when all is served": rounded(askedInMs),
    },
    counts: { reads: count("read"), storeCalls: count("store"), pushes: count("push") },
  };
}
