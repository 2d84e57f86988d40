/**
 * The capture sent to the handlers one request at a time, each followed by whatever it sets off: in order, with the
 * audit requests reversed, doubled and in 200 random orders. The outcome is always the same.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readHead } from "../../shared/reconcile/head.ts";
import { dirtyPartition, headKey, laterPartition, lockKey } from "../../shared/reconcile/keys.ts";
import { translate } from "../../shared/translate/translate.ts";
import { nothing } from "../../shared/translate/translation.ts";
import { type CapturedRequest, isReview, linesBeforeDeletion, readCapture, withAudits } from "../harness/capture.ts";
import { dice } from "../harness/dice.ts";
import { newTestDoors, post, type TestDoors } from "../harness/doors.ts";
import { shuffled } from "../harness/shuffled.ts";

const capture = readCapture();
const expectedFile = new URL("../golden/shop-capture.json", import.meta.url);

interface Outcome {
  readonly digest: string | undefined;
  readonly verdicts: readonly string[];
  readonly resources: Readonly<Record<string, unknown>>;
  readonly due: readonly string[];
  readonly holder: string;
}

async function send(requests: readonly CapturedRequest[], doors: TestDoors = newTestDoors()): Promise<Outcome> {
  const verdicts: string[] = [];
  for (const request of requests) {
    const response = await post(doors, request.path, request.body);
    if (!isReview(request)) {
      expect(response.status).toBe(200);
      continue;
    }
    const { response: verdict } = (await response.json()) as {
      response: { uid: string; allowed: boolean; status?: { code: number } };
    };
    verdicts.push(`${verdict.uid} ${verdict.allowed} ${verdict.status?.code ?? ""}`);
  }
  expect(doors.host.faults).toEqual([]);
  expect(doors.warnings).toEqual([]);
  const { store } = doors.context;
  const marks = [
    ...(await store.list(dirtyPartition, undefined, 10)).entries,
    ...(await store.list(laterPartition, undefined, 10)).entries,
  ];
  const resources = [...doors.node().resources.values()].map(({ key, value }) => [key, value] as const);
  return {
    digest: readHead(await store.get(headKey("openresty")))?.digest,
    verdicts,
    resources: Object.fromEntries(resources.sort(([a], [b]) => (a < b ? -1 : 1))),
    due: marks.map((mark) => mark.key.sort),
    holder: JSON.parse((await store.get(lockKey))?.value ?? "{}").holder,
  };
}

const orders: readonly (readonly [string, (requests: readonly CapturedRequest[]) => CapturedRequest[]])[] = [
  ["with the audit requests reversed", (requests) => withAudits(requests, (audits) => audits.reverse())],
  ["doubled", (requests) => requests.flatMap((request) => [request, request])],
  [
    "audit requests doubled",
    (requests) => requests.flatMap((request) => (isReview(request) ? [request] : [request, request])),
  ],
  [
    "with the events of each request apart and reversed",
    (requests) =>
      requests.map((request) => ({
        ...request,
        body: {
          ...request.body,
          ...(request.body.items === undefined ? {} : { items: [...request.body.items].reverse() }),
        },
      })),
  ],
];

describe("up to where the Ingress is first deleted", () => {
  const cut = capture.slice(0, linesBeforeDeletion);

  test("the node has the committed list of keys and values", async () => {
    const outcome = await send(cut);
    const text = `${JSON.stringify({ digest: outcome.digest, resources: outcome.resources }, undefined, 2)}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(expectedFile, text);
    expect(text).toBe(readFileSync(expectedFile, "utf8"));
  });

  test.each(orders)("the same %s", async (_title, reorder) => {
    const expected = await send(cut);
    const outcome = await send(reorder(cut));
    expect(new Set(outcome.verdicts)).toEqual(new Set(expected.verdicts));
    expect({ ...outcome, verdicts: [] }).toEqual({ ...expected, verdicts: [] });
  });

  test("a translator of EndpointSlices that returns nothing would be noticed", async () => {
    const broken = newTestDoors(
      {},
      {
        translate: (subject, settings) =>
          subject.reference.kind === "EndpointSlice"
            ? (function* () {
                yield [];
                return nothing;
              })()
            : translate(subject, settings),
      },
    );
    expect((await send(cut, broken)).digest).not.toBe((await send(cut)).digest);
  });
});

describe("whole", () => {
  test("all 70 reviews are allowed, no mark is due, the lock is free", async () => {
    const outcome = await send(capture);
    expect(outcome.verdicts).toHaveLength(70);
    expect(outcome.verdicts.filter((verdict) => !verdict.includes(" true "))).toEqual([]);
    expect(outcome.due).toEqual([]);
    expect(outcome.holder).toBe("");
  });

  test.each(orders)("the same %s", async (_title, reorder) => {
    const expected = await send(capture);
    const outcome = await send(reorder(capture));
    expect(new Set(outcome.verdicts)).toEqual(new Set(expected.verdicts));
    expect({ ...outcome, verdicts: [] }).toEqual({ ...expected, verdicts: [] });
  });
});

test("the same in 200 random orders of the audit requests, whole and cut", { timeout: 300_000 }, async () => {
  const whole = await send(capture);
  const cut = await send(capture.slice(0, linesBeforeDeletion));
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = dice(seed);
    expect(await send(withAudits(capture, (audits) => shuffled(audits, random))), `seed ${seed}`).toEqual(whole);
    const before = capture.slice(0, linesBeforeDeletion);
    expect(await send(withAudits(before, (audits) => shuffled(audits, random))), `seed ${seed}, cut`).toEqual(cut);
  }
});
