/** AdmissionReview admission.k8s.io/v1: what is about to happen to one object. */
import * as v from "valibot";
import type { SeenReference } from "../model/observation.ts";
import { parseWith, told } from "../model/parse.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { type ReviewRequest, requestSchema } from "./review-request.ts";
import { type ReviewSubject, subjectOf } from "./review-subject.ts";
import type { ObserveSettings } from "./settings.ts";

const schema = v.object(
  {
    apiVersion: v.literal("admission.k8s.io/v1", "must be admission.k8s.io/v1"),
    kind: v.literal("AdmissionReview", "must be AdmissionReview"),
    request: requestSchema,
  },
  told.object,
);

export type DecodedReview =
  /** No AdmissionReview at all. */
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      readonly uid: string;
      readonly operation: ReviewRequest["operation"];
      readonly dryRun: boolean;
      /** Where it could be told; always for `observed` and `hint`. */
      readonly reference?: SeenReference;
      readonly subject: ReviewSubject;
    };

export function decodeReview(body: unknown, settings: ObserveSettings): DecodedReview {
  const parsed = parseWith(schema, body);
  if (!parsed.ok) return { ok: false, reason: `no AdmissionReview of admission.k8s.io/v1: ${parsed.reason}` };
  const { request } = parsed.value;
  const subject = subjectOf(request, settings);
  return {
    ok: true,
    uid: request.uid,
    operation: request.operation,
    dryRun: request.dryRun || readDeleteOptions(request.options).dryRun,
    ...("observation" in subject ? { reference: subject.observation.reference } : {}),
    subject,
  };
}
