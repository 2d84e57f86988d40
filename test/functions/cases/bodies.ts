/** Requests that no door can make anything of. */
import { expect, test } from "vitest";
import { eventList } from "../../observe/wire.ts";
import { type Caller, webhooks } from "../caller.ts";

export function bodyCases(caller: () => Caller): void {
  test.each(webhooks)("%s: a body of 20 MB is 413, told at once or found on the way", async (path) => {
    const large = new Uint8Array(20 * 1024 * 1024).fill(0x20);
    const told = await caller().fetch(path, { method: "POST", body: large });
    expect(told.status).toBe(413);
    expect(await told.json()).toMatchObject({ error: "too-large" });
    const parts = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let part = 0; part < 20; part += 1) controller.enqueue(large.subarray(0, 1024 * 1024));
        controller.close();
      },
    });
    const found = await caller().fetch(path, { method: "POST", body: parts, duplex: "half" });
    expect(found.status).toBe(413);
    await found.body?.cancel();
    await caller().expectToWork(`after-large-${path.slice(1)}`);
  });

  test.each([
    ["broken JSON", '{"kind": "AdmissionReview"'],
    ["no body", ""],
    ["something else", "<html>"],
  ])("%s is 400", async (_title, body) => {
    for (const path of webhooks) {
      const answer = await caller().post(path, body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({ error: "invalid", message: "the body must be JSON in UTF-8" });
    }
  });

  test("text that is not UTF-8 is 400", async () => {
    for (const path of webhooks) {
      const answer = await caller().fetch(path, { method: "POST", body: new Uint8Array([0x22, 0xff, 0x22]) });
      expect(answer.status).toBe(400);
      await answer.body?.cancel();
    }
  });

  test("what is no AdmissionReview, or no EventList, is 400 at that door", async () => {
    const anyReview = caller().asking("wrong-door", {}).reviewed;
    const other = { ...anyReview, apiVersion: "admission.k8s.io/v1beta1" };
    for (const body of [{}, [], null, "text", 1, eventList(), other, { ...anyReview, request: undefined }]) {
      const answer = await caller().post("/admission", JSON.stringify(body));
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: "invalid",
        message: expect.stringMatching(/AdmissionReview/),
      });
    }
    for (const body of [{}, [], null, "text", 1, anyReview, { ...eventList(), items: {} }]) {
      const answer = await caller().post("/audit", JSON.stringify(body));
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(await answer.json()).toMatchObject({ error: "invalid", message: expect.stringMatching(/EventList/) });
    }
  });

  test("a wrong method is 405 and says the right one; an unknown path is 404", async () => {
    for (const [path, allowed] of [
      ["/admission", "POST"],
      ["/admission/some-token", "POST"],
      ["/audit", "POST"],
      ["/resync", "POST"],
      ["/status", "GET"],
      ["/metrics", "GET"],
      ["/healthz", "GET"],
      ["/readyz", "GET"],
      ["/", "GET"],
    ] as const) {
      for (const method of ["PUT", "DELETE", allowed === "GET" ? "POST" : "GET"]) {
        const answer = await caller().fetch(path, { method });
        expect(answer.status, `${method} ${path}`).toBe(405);
        expect(answer.headers.get("allow")).toBe(allowed);
        expect(await answer.json()).toMatchObject({ error: "method-not-allowed" });
      }
    }
    for (const path of ["/nothing", "/status/more", "/admission/a/b"]) {
      const answer = await caller().fetch(path);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: "not-found" });
    }
  });
}
