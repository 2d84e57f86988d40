/** How copies of Entrance come to tell what they do, and what they have told. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TraceEvent } from "./trace.ts";

/** Without `whole` only what goes to nodes is told, which costs next to nothing. */
export function traceSettings(folder: string, whole: boolean): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${path.join(import.meta.dirname, "trace.ts")}`,
    TRACE_FOLDER: folder,
    TRACE_WHOLE: whole ? "1" : "0",
  };
}

/** In order of time, of all copies. */
export function readTrace(folder: string): TraceEvent[] {
  const events = readCopies(folder).flat();
  return events.sort((a, b) => Number(BigInt(a.at) - BigInt(b.at)));
}

/** Of each copy, in order of time. */
export function readCopies(folder: string): TraceEvent[][] {
  return globSync("*.ndjson", { cwd: folder }).map((file) => {
    const lines = readFileSync(path.join(folder, file), "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as TraceEvent);
  });
}

/** Of changes and snapshots, since the copies run. */
export function bytesToNodes(folder: string): number {
  return readTrace(folder).reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
