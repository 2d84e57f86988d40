/** Whatever arrives, decoding answers; and whatever is observed has names that are names. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Observation, SentObservation } from "../../shared/model/observation.ts";
import { parseReferenceKey, referenceKey } from "../../shared/model/reference.ts";
import { decodeEventList } from "../../shared/observe/audit-event.ts";
import { queryValues } from "../../shared/observe/request-uri.ts";
import { decodeReview } from "../../shared/observe/review.ts";
import { captured } from "./capture.ts";
import { mutated } from "./mutation.ts";
import { observeSettings } from "./wire.ts";

const bodies = captured.map(({ body }) => body);
const runs = { numRuns: 2_000 };

function sound(observation: Observation | SentObservation): void {
  const { reference } = observation;
  expect(parseReferenceKey(referenceKey(reference))).toEqual(reference);
  expect(reference.name).toMatch(/^[-.a-z0-9]*$/);
  expect(reference.namespace).toMatch(/^[-a-z0-9]*$/);
  if ("position" in observation) expect(observation.position.resourceVersion).toMatch(/^(0|[1-9][0-9]*)$/);
}

test("a review", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), mutated(bodies)), (body) => {
      const decoded = decodeReview(body, observeSettings);
      if (!decoded.ok) expect(decoded.reason).not.toBe("");
      else if ("observation" in decoded.subject) sound(decoded.subject.observation);
    }),
    runs,
  );
});

test("a list of events", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), mutated(bodies)), (body) => {
      const decoded = decodeEventList(body, observeSettings);
      if (!decoded.ok) return;
      decoded.observations.forEach(sound);
      for (const { id } of decoded.unusable) expect(id).toMatch(/^[-\w ]{1,64}$/);
    }),
    runs,
  );
});

test("the order of a list's events changes nothing of what is observed", () => {
  const items = captured.flatMap(({ body }) =>
    typeof body === "object" && body !== null && "items" in body && Array.isArray(body.items) ? body.items : [],
  );
  const list = (events: readonly unknown[]) => {
    const decoded = decodeEventList(
      { kind: "EventList", apiVersion: "audit.k8s.io/v1", items: events },
      observeSettings,
    );
    return decoded.ok ? decoded.observations.map((each) => JSON.stringify(each)).sort() : [];
  };
  const inOrder = list(items);
  expect(inOrder.length).toBeGreaterThan(10);
  fc.assert(
    fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (shuffled) => {
      expect(list(shuffled)).toEqual(inOrder);
    }),
    { numRuns: 20 },
  );
});

test("a query, however it is written", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), (parameters) => {
      const uri = `/api?${new URLSearchParams(parameters).toString()}#dryRun=All`;
      for (const [name, value] of Object.entries(parameters)) expect(queryValues(uri, name)).toEqual([value]);
    }),
  );
  fc.assert(fc.property(fc.string(), fc.string(), (uri, name) => Array.isArray(queryValues(uri, name))));
  expect(queryValues("/a?x&x=1&x=%zz&y=2", "x")).toEqual(["", "1", "%zz"]);
});
