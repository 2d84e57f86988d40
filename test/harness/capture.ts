/** test/captures/shop.ndjson: what a real kube-apiserver sent over most of a namespace's life. */
import { readFileSync } from "node:fs";
import * as v from "valibot";

const line = v.object({
  path: v.string(),
  body: v.looseObject({
    kind: v.picklist(["AdmissionReview", "EventList"]),
    apiVersion: v.string(),
    items: v.optional(v.array(v.unknown())),
  }),
});

export type CapturedRequest = v.InferOutput<typeof line>;

/** The Ingress is first deleted by the line after these. */
export const linesBeforeDeletion = 113;

export function readCapture(): CapturedRequest[] {
  const text = readFileSync(new URL("../captures/shop.ndjson", import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((each) => v.parse(line, JSON.parse(each)));
}

export function isReview(request: CapturedRequest): boolean {
  return request.body.kind === "AdmissionReview";
}

/** Reviews stay where they are; the audit requests change places among themselves. */
export function withAudits(
  requests: readonly CapturedRequest[],
  reorder: (audits: CapturedRequest[]) => CapturedRequest[],
): CapturedRequest[] {
  const audits = reorder(requests.filter((request) => !isReview(request)));
  let next = 0;
  return requests.map((request) => {
    if (isReview(request)) return request;
    const audit = audits[next];
    next += 1;
    if (audit === undefined) throw new Error("a reordering must keep the number of requests");
    return audit;
  });
}
