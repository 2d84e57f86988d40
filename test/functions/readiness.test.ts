/** Which copies of those on one store are ready: a rollout that goes wrong stops, and what works goes on. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestDoors, type TestDoors } from "../harness/doors.ts";
import { usualTranslation } from "../harness/entrance.ts";

const usual = usualTranslation;
const other = { ...usual, httpSuffix: "apps.example" };

function copies() {
  const store = openMemoryStore();
  return (generation: number, translation: typeof usual) => newTestDoors({}, { store, generation, translation });
}

async function ready(doors: TestDoors): Promise<string> {
  const answer = await doors.app.request("/readyz");
  return `${answer.status} ${await answer.text()}`;
}

test("a copy that starts with other settings of the same generation is not ready, and says why; the old ones are", async () => {
  const start = copies();
  const old = start(0, usual);
  await old.entrance.tick();
  const forgotten = start(0, other);
  await expect(forgotten.entrance.tick()).rejects.toThrow();
  expect(await ready(forgotten)).toMatch(/^503 .*"misconfigured".*raise ENTRANCE_GENERATION/);
  expect(await ready(old)).toBe("200 ok\n");
});

test("a copy that was ready stays so while newer ones take its place, since it keeps what it is told", async () => {
  const start = copies();
  const old = start(0, usual);
  await old.entrance.tick();
  expect(await ready(old)).toBe("200 ok\n");
  const next = start(1, other);
  expect(await ready(next)).toBe("200 ok\n");
  await next.entrance.tick();
  expect(await ready(next)).toBe("200 ok\n");
  expect(await ready(old)).toMatch(/^200 ok\na newer version of Entrance, or of its settings, works on this store/);
  expect((await old.app.request("/audit", audit)).status).toBe(200);
});

test("a copy that starts with older settings keeps nothing, and is not ready", async () => {
  const start = copies();
  await start(1, other).entrance.tick();
  const back = start(0, usual);
  expect((await back.app.request("/audit", audit)).status).toBe(503);
  expect(await ready(back)).toMatch(/^503 .*a newer version of Entrance, or of its settings/);
});

const audit = {
  method: "POST",
  body: JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [] }),
};
