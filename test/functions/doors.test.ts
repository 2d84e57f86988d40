/** The doors by `app.request()`: in this process, with a model node. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EntranceError } from "../../shared/model/error.ts";
import { openMemoryStore, openNodeStore } from "../../shared/store/node-sqlite.ts";
import { newTestDoors } from "../harness/doors.ts";
import { runDoorCases } from "./cases.ts";

runDoorCases({
  name: "app.request()",
  start: async (environment) => {
    const directory = mkdtempSync(join(tmpdir(), "entrance-doors-"));
    const store = openNodeStore(join(directory, "entrance.sqlite"));
    const doors = newTestDoors(environment, { store, now: Date.now });
    return {
      fetch: async (path, init) => {
        const response = await doors.app.request(path, init);
        await doors.host.settled();
        return response;
      },
      stored: async () =>
        readdirSync(directory)
          .map((name) => readFileSync(join(directory, name), "latin1"))
          .join("\n"),
      printed: () => doors.warnings.join("\n"),
      stop: async () => {
        await store.close();
        rmSync(directory, { recursive: true });
        expect(doors.host.faults).toEqual([]);
      },
    };
  },
});

test("views need a token where the listener is not on loopback, and are 401 without", async () => {
  const token = "a-token-of-the-tests";
  const doors = newTestDoors({ ENTRANCE_LISTEN: "0.0.0.0:8443", ENTRANCE_WEBHOOK_TOKEN: token });
  for (const path of ["/status", "/metrics", "/"]) {
    expect((await doors.app.request(path)).status).toBe(401);
    expect((await doors.app.request(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  }
  expect((await doors.app.request("/healthz")).status).toBe(200);
});

test.each(["unavailable", "uncertain", "busy"] as const)("a store that is %s is 503 with Retry-After", async (code) => {
  const store = {
    ...openMemoryStore(),
    get: () => Promise.reject(new EntranceError(code, "the store is away")),
  };
  const doors = newTestDoors({}, { store });
  const answer = await doors.app.request("/audit", {
    method: "POST",
    body: JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [] }),
  });
  const ready = await doors.app.request("/readyz");
  for (const each of [answer, ready]) {
    expect(each.status).toBe(503);
    expect(Number(each.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  expect((await doors.app.request("/healthz")).status).toBe(200);
});

test("more webhooks at once than can be kept in memory are told to come again", async () => {
  const doors = newTestDoors();
  const list = JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [] });
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => doors.app.request("/audit", { method: "POST", body: list })),
  );
  const refused = answers.filter((answer) => answer.status === 503);
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(256);
  expect(refused).toHaveLength(44);
  expect(refused[0]?.headers.get("retry-after")).toBe("1");
  const after = await doors.app.request("/audit", { method: "POST", body: list });
  expect(after.status).toBe(200);
});
