/** Everything that a real kube-apiserver sent in a namespace's life. */
import { expect, test } from "vitest";
import { isSent, type Observation } from "../../shared/model/observation.ts";
import { decodeEventList } from "../../shared/observe/audit-event.ts";
import { decodeReview } from "../../shared/observe/review.ts";
import { captured } from "./capture.ts";
import { observeSettings } from "./wire.ts";

const reviews = captured.filter(({ path }) => path.startsWith("/admission"));
const audits = captured.filter(({ path }) => path.startsWith("/audit"));
const decodedReviews = reviews.map(({ body }) => decodeReview(body, observeSettings));
const decodedAudits = audits.map(({ body }) => decodeEventList(body, observeSettings));

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

test("all 70 reviews can be decoded", () => {
  expect(captured).toHaveLength(136);
  expect(
    count(
      decodedReviews.map((review) => {
        if (!review.ok) return review.reason;
        return review.subject.type === "observed" ? review.subject.observation.type : review.subject.type;
      }),
    ),
  ).toEqual({ object: 37, gone: 4, irrelevant: 29 });
  expect(decodedReviews.filter((review) => review.ok && review.dryRun)).toHaveLength(1);
});

test("all 66 lists of events can be decoded", () => {
  const all = decodedAudits.flatMap((list) => (list.ok ? [list] : []));
  expect(all).toHaveLength(66);
  expect(all.flatMap((list) => list.unusable)).toEqual([]);
  expect(all.reduce((sum, list) => sum + list.ignored, 0)).toBe(41);
  expect(count(all.flatMap((list) => list.observations.map(({ type }) => type)))).toEqual({
    object: 42,
    gone: 2,
    buried: 2,
    hint: 1,
  });
});

test("what ends, ends at the right place", () => {
  const observations = [
    ...decodedReviews.flatMap(ofReview),
    ...decodedAudits.flatMap((list) => (list.ok ? list.observations : [])),
  ];
  const ends = observations.filter(({ type }) => type === "gone" || type === "buried");
  expect(
    ends.map((end) => {
      const position = "position" in end ? `${end.position.resourceVersion},${end.position.step}` : "";
      return `${end.type} ${end.reference.kind}/${end.reference.name} ${position}`.trimEnd();
    }),
  ).toEqual([
    "gone Ingress/web 392,2",
    "gone Ingress/web 404,2",
    "gone Service/web 400,2",
    "gone EndpointSlice/web-kz5mh 359,2",
    "buried Ingress/web",
    "gone Ingress/web 404,2",
    "gone Service/web 406,2",
    "buried EndpointSlice/web-kz5mh",
  ]);
});

test("nothing of the Secret is in what was decoded, nor what only a client keeps for itself", () => {
  expect(JSON.stringify(captured)).toContain("tls.key");
  const kept = JSON.stringify([decodedReviews, decodedAudits]);
  for (const text of ["tls.key", "tls.crt", "LS0t", "last-applied", "managedFields", "Bearer"]) {
    expect(kept).not.toContain(text);
  }
});

test("a review and the event that follows it see the same content", () => {
  const byReview = decodedReviews.flatMap(ofReview).flatMap((each) => (each.type === "object" ? [each] : []));
  const contents = new Set(
    decodedAudits
      .flatMap((list) => (list.ok ? list.observations : []))
      .map((each) => "object" in each && JSON.stringify(each.object)),
  );
  // A Secret's content is in its review alone, and it is none of these.
  const unseen = byReview.filter(({ object }) => !contents.has(JSON.stringify(object)));
  expect(unseen.map(({ reference }) => `${reference.kind}/${reference.name}`)).toEqual([]);
});

function ofReview(review: (typeof decodedReviews)[number]): Observation[] {
  if (!review.ok || !("observation" in review.subject) || isSent(review.subject.observation)) return [];
  return [review.subject.observation];
}
