/** What must not be written or said. */
import { expect, test } from "vitest";
import { event, eventList, type Json, review } from "../../observe/wire.ts";
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
    expect(caller().stored()).not.toContain("dry-run");
  });

  test("nothing of a Secret is kept or said, even when the audit log tells it", async () => {
    const secret = {
      kind: "Secret",
      apiVersion: "v1",
      type: "kubernetes.io/tls",
      metadata: { name: "shop-tls", namespace: "shop", uid: "uid-tls", resourceVersion: "3000" },
      data: { "tls.key": "c2VjcmV0LWtleQ==", "tls.crt": "c2VjcmV0LWNlcnQ=" },
    };
    const reviewed = review("CREATE", "Secret", { name: "shop-tls", object: secret });
    expect(await (await caller().post("/admission", reviewed)).json()).toMatchObject({ response: { allowed: true } });
    const audited = event("create", "Secret", secret, {}, { resource: "secrets", name: "shop-tls" });
    expect((await caller().post("/audit", eventList(audited, { ...audited, level: "Metadata" }))).status).toBe(200);
    const applied = { "kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0LWtleQ==" };
    expect((await caller().post("/audit", caller().asking("carries-a-secret", applied).audited)).status).toBe(200);
    await caller().settled();
    const pages = await Promise.all(["/status", "/metrics", "/"].map((path) => caller().fetch(path)));
    const seen = [caller().stored(), caller().printed(), ...(await Promise.all(pages.map((page) => page.text())))];
    expect(caller().stored()).toContain("carries-a-secret");
    for (const text of seen) expect(text).not.toMatch(/c2VjcmV0|secret-key|secret-cert/);
  });
}
