/** The 136 requests that a real kube-apiserver sent (v1.36.3); the last ones find its namespace terminating. */
import { readFileSync } from "node:fs";

export interface CapturedRequest {
  readonly path: string;
  readonly body: unknown;
}

export const captured: readonly CapturedRequest[] = readFileSync(
  new URL("../captures/shop.ndjson", import.meta.url),
  "utf8",
)
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));
