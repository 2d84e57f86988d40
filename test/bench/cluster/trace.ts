/**
 * Loaded into each copy of Entrance before its own code: it listens to Node's own channels of what is asked and answered,
 * so that nothing in Entrance knows of being measured. Times are of the machine's monotonic clock, which all processes
 * have in common.
 */

import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import path from "node:path";

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
    | "status";
  /** Of a push: its body. */
  readonly bytes?: number;
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

function tell(what: TraceEvent["what"], bytes?: number): void {
  pending.push({ at: String(process.hrtime.bigint()), what, ...(bytes === undefined ? {} : { bytes }) });
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
    tell(what, what === "push" ? Number(request.contentLength ?? request.body?.length ?? 0) : undefined);
    if (what !== "status") known.set(request, what);
  });
  subscribe("undici:request:trailers", (message) => {
    const what = known.get((message as { request: object }).request);
    if (what !== undefined && isWhole) tell(`${what}-answered`);
  });
  if (!isWhole) return;
  const reviews = new WeakSet<object>();
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: { url?: string } };
    if (request.url?.startsWith("/admission") !== true) return;
    reviews.add(request);
    tell("review");
  });
  subscribe("http.server.response.finish", (message) => {
    if (reviews.has((message as { request: object }).request)) tell("review-answered");
  });
  subscribe("http2.client.stream.start", () => tell("store"));
  subscribe("http2.client.stream.close", () => tell("store-answered"));
}

if (folder !== undefined) {
  const file = path.join(folder, `${process.pid}-${process.hrtime.bigint()}.ndjson`);
  listen();
  setInterval(() => flush(file), everyMs).unref();
}
