/** What must not be written or said. */
import { expect, test } from "vitest";
import { event, eventList, type Json, review, secret } from "../../observe/wire.ts";
import type { Caller } from "../caller.ts";

export function secrecyCases(caller: () => Caller): void {
  test("a dry run writes nothing", async () => {
    const { wire, reviewed } = caller().asking("dry-run-only", { "entrance.dev/http": "dry-run.example" });
    const asked = [
      { ...(reviewed["request"] as Json), dryRun: true },
      { ...(reviewed["request"] as Json), options: { kind: "CreateOptions", dryRun: ["All"] } },
    ];
    for (const request of asked) {
      const answer = await caller().post("/admission", { ...reviewed, request });
      expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    }
    const requestURI = "/api/v1/namespaces/shop/services?dryRun=All";
    const audited = event("create", "Service", wire, { requestURI }, { name: "dry-run-only" });
    expect(await (await caller().post("/audit", eventList(audited))).json()).toMatchObject({ changed: 0, ignored: 1 });
    await caller().settled();
    expect(await caller().stored()).not.toContain("dry-run");
  });

  test("nothing of a Secret that is none of ours is kept or said, and never what the audit log tells of one", async () => {
    const data = { password: "opaque-password", "tls.key": "secret-key", "tls.crt": "secret-cert" };
    const opaque = secret("Opaque", data, { name: "somebodys", uid: "uid-somebodys" });
    for (const operation of ["CREATE", "UPDATE", "DELETE"]) {
      const objects = {
        object: operation === "DELETE" ? null : opaque,
        oldObject: operation === "CREATE" ? null : opaque,
      };
      const answer = await caller().post("/admission", review(operation, "Secret", { name: "somebodys", ...objects }));
      expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    }
    const tls = secret("kubernetes.io/tls", data, { name: "told-by-audit", uid: "uid-told", resourceVersion: "3000" });
    const audited = event("create", "Secret", tls, {}, { name: "told-by-audit" });
    expect((await caller().post("/audit", eventList(audited, { ...audited, level: "Metadata" }))).status).toBe(200);
    const details = { name: "told-by-audit", kind: "secrets", uid: "uid-told" };
    const ended = event("delete", "Secret", undefined, { level: "Metadata", responseStatus: { code: 200, details } });
    expect(await (await caller().post("/audit", eventList(ended))).json()).toMatchObject({ unknown: 1 });
    const applied = { "kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0LWtleQ==" };
    expect((await caller().post("/audit", caller().asking("carries-a-secret", applied).audited)).status).toBe(200);
    const said = await caller().everythingSaid();
    expect(await caller().stored()).toContain("carries-a-secret");
    for (const text of said) {
      expect(text).not.toMatch(/c2VjcmV0|b3BhcXVl|secret-key|secret-cert|opaque-password|somebodys|told-by-audit/);
    }
  });
}
