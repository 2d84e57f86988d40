/**
 * Loaded into each copy of Entrance before its own code: it listens to Node's own channels of what is asked and answered,
 * so that nothing in Entrance knows of being measured. Times are of the machine's monotonic clock, which all processes
 * have in common.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import path from "node:path";
import { PerformanceObserver } from "node:perf_hooks";

/** One line of a process's file. */
export interface TraceEvent {
  /** Ns. */
  readonly at: string;
  readonly what:
    | "review"
    | "review-answered"
    | "read"
    | "read-answered"
    | "push"
    | "push-answered"
    | "store"
    | "store-answered"
    | "status"
    | "garbage";
  /** Of a push: its body. */
  readonly bytes?: number;
  /** Which review of this process it belongs to; the store is also asked for other things meanwhile. */
  readonly review?: number;
  /** Of a collection of garbage that was just over: how long nothing else ran. */
  readonly ms?: number;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly contentLength?: number | null;
  readonly body?: { readonly length?: number } | null;
}

const folder = process.env["TRACE_FOLDER"];
const isWhole = process.env["TRACE_WHOLE"] === "1";
const everyMs = 100;
const pending: TraceEvent[] = [];

/** Which review's work it is that runs. */
const within = new AsyncLocalStorage<number>();

function tell(what: TraceEvent["what"], more: Pick<TraceEvent, "bytes" | "review" | "ms"> = {}): void {
  pending.push({ at: String(process.hrtime.bigint()), what, ...more });
}

function ofReview(review: number | undefined): Pick<TraceEvent, "review"> {
  return review === undefined ? {} : { review };
}

function flush(file: string): void {
  if (pending.length === 0) return;
  appendFileSync(file, `${pending.map((event) => JSON.stringify(event)).join("\n")}\n`);
  pending.length = 0;
}

function whatOf({ method, path: at }: Request): "read" | "push" | "status" | undefined {
  if (at.startsWith("/v2/")) return method === "GET" ? undefined : "push";
  if (method === "PATCH" && at.includes("/status")) return "status";
  const isByName = at.includes("fieldSelector=metadata.name") || /\/(ingresses|endpointslices)\/[^/?]+$/.test(at);
  return method === "GET" && isByName ? "read" : undefined;
}

function listen(): void {
  const known = new WeakMap<object, "read" | "push">();
  subscribe("undici:request:create", (message) => {
    const { request } = message as { request: Request };
    const what = whatOf(request);
    if (what === undefined || (what !== "push" && !isWhole)) return;
    tell(what, what === "push" ? { bytes: Number(request.contentLength ?? request.body?.length ?? 0) } : {});
    if (what !== "status") known.set(request, what);
  });
  subscribe("undici:request:trailers", (message) => {
    const what = known.get((message as { request: object }).request);
    if (what !== undefined && isWhole) tell(`${what}-answered`);
  });
  if (!isWhole) return;
  const reviews = new WeakMap<object, number>();
  let count = 0;
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: { url?: string } };
    if (request.url?.startsWith("/admission") !== true) return;
    count += 1;
    reviews.set(request, count);
    within.enterWith(count);
    tell("review", { review: count });
  });
  subscribe("http.server.response.finish", (message) => {
    const review = reviews.get((message as { request: object }).request);
    if (review !== undefined) tell("review-answered", { review });
  });
  const asked = new WeakMap<object, number>();
  subscribe("http2.client.stream.start", (message) => {
    const review = within.getStore();
    if (review !== undefined) asked.set((message as { stream: object }).stream, review);
    tell("store", ofReview(review));
  });
  subscribe("http2.client.stream.close", (message) =>
    tell("store-answered", ofReview(asked.get((message as { stream: object }).stream))),
  );
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tell("garbage", { ms: duration });
  }).observe({ entryTypes: ["gc"] });
}

if (folder !== undefined) {
  const file = path.join(folder, `${process.pid}-${process.hrtime.bigint()}.ndjson`);
  listen();
  setInterval(() => flush(file), everyMs).unref();
}
