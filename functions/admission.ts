/** POST /admission: AdmissionReview in, AdmissionReview out. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { isSent } from "../shared/model/observation.ts";
import { decodeReview } from "../shared/observe/review.ts";
import type { Problem } from "../shared/translate/translation.ts";
import { readJson } from "./body.ts";
import type { Door } from "./door.ts";

/** An object has at most 1.5 MB in etcd; a review carries two of them, and JSON escapes. */
const maxBytes = 8 * 1024 * 1024;
/** Kubernetes: warnings of more than 256 characters may be cut by clients; together at most 4 KB are shown. */
const maxWarnings = 10;
const maxSentence = 1_000;

/**
 * | subject            | dry run | problems that deny | answer  | written |
 * |--------------------|---------|--------------------|---------|---------|
 * | irrelevant, hint   |         |                    | allowed | nothing |
 * | unusable           |         |                    | denied  | nothing |
 * | unusable as before |         |                    | allowed | nothing |
 * | object             |         | yes                | denied  | nothing |
 * | object             | yes     | no                 | allowed | nothing |
 * | object, gone       | no      | no                 | allowed | seen    |
 *
 * Seen where no Kubernetes API is configured; otherwise, as for `hint`, a hint to read it back from there. With one it is
 * noted beside, now and then, that a review was heard: of all that are no dry run.
 */
export async function admission(door: Door, context: Context): Promise<Response> {
  const decoded = decodeReview(await readJson(context.req.raw, maxBytes), { prefix: door.config.prefix });
  if (!decoded.ok) throw new EntranceError("invalid", decoded.reason);
  const { uid, subject, dryRun } = decoded;
  const noted = dryRun ? undefined : door.entrance.heard.note("review");
  if (noted !== undefined) await noted;
  if (subject.type === "unusable") {
    return answer(door, context, uid, [{ sentence: subject.reason, deny: subject.wasSo !== true }]);
  }
  if (subject.type === "irrelevant") return answer(door, context, uid, []);
  const observation = isSent(subject.observation) ? await door.entrance.keep(subject.observation) : subject.observation;
  const before = "before" in subject ? subject.before : undefined;
  const problems = observation.type === "object" ? await door.entrance.problemsOf(observation, before) : [];
  if (!dryRun && !problems.some((problem) => problem.deny)) await door.entrance.reviewed(observation);
  return answer(door, context, uid, problems);
}

function answer(door: Door, context: Context, uid: string, problems: readonly Problem[]): Response {
  const denials = problems.filter((problem) => problem.deny).map((problem) => problem.sentence);
  const allowed = denials.length === 0;
  door.counters.add("entrance_reviews_total", { allowed: String(allowed) });
  const warnings = problems
    .filter((problem) => !problem.deny)
    .slice(0, maxWarnings)
    .map((problem) => problem.sentence.slice(0, maxSentence));
  const message = denials
    .slice(0, maxWarnings)
    .join("; ")
    .slice(0, maxSentence * 4);
  return context.json({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed,
      ...(allowed ? {} : { status: { status: "Failure", code: 422, reason: "Invalid", message } }),
      ...(allowed && warnings.length > 0 ? { warnings } : {}),
    },
  });
}
