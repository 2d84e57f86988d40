/**
 * What every host of Entrance must answer at its doors, whatever comes. A host's own test starts it and runs these:
 * bad input is told by its door, changes nothing, and holds up nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../functions/status.ts";
import { event, eventList, ingress, type Json, review, service } from "../observe/wire.ts";

export interface RunningHost {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** All bytes of the store. */
  readonly stored: () => string;
  /** All that was printed. */
  readonly printed: () => string;
  readonly stop: () => Promise<void>;
}

export interface HostUnderTest {
  readonly name: string;
  readonly start: (environment: Readonly<Record<string, string>>) => Promise<RunningHost>;
}

const token = "a-token-of-the-tests";
const webhooks = ["/admission", "/audit"] as const;

export function runDoorCases(host: HostUnderTest): void {
  describe(`${host.name}: doors`, () => {
    let running: RunningHost;
    let versions = 1_000;

    beforeAll(async () => {
      running = await host.start({});
    });
    afterAll(async () => {
      await running?.stop();
    });

    function post(path: string, body: unknown): Promise<Response> {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return running.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: text });
    }

    async function status(): Promise<Status> {
      return (await (await running.fetch("/status")).json()) as Status;
    }

    /** When nothing is left to do and the node has everything. */
    async function settled(): Promise<Status> {
      for (let attempt = 0; ; attempt += 1) {
        const now = await status();
        const isDone = now.marks.due === 0 && now.balancers.every(({ nodes }) => nodes.every(({ lag }) => lag === 0));
        if (isDone) return now;
        if (attempt > 100) throw new Error(`not settled: ${JSON.stringify(now)}`);
        await sleep(50);
      }
    }

    /** A Service of its own that asks for this, as the apiserver tells it. */
    function asking(name: string, annotations: Json, spec: Json = {}): { wire: Json; reviewed: Json; audited: Json } {
      versions += 1;
      const wire = service({ name, uid: `uid-${name}`, resourceVersion: String(versions), annotations }, spec);
      return {
        wire,
        reviewed: review("CREATE", "Service", { name, object: wire }),
        audited: eventList(event("create", "Service", wire, { auditID: `audit-${name}` }, { name })),
      };
    }

    /** What a change that is good leads to; called after bad ones to see that nothing is held up. */
    async function expectToWork(name: string): Promise<void> {
      const { audited } = asking(name, { "entrance.dev/http": `${name}.example` });
      expect(await (await post("/audit", audited)).json()).toMatchObject({ changed: 1, unusable: 0 });
      const { domains } = await settled();
      expect(domains.map((domain) => domain.name)).toContain(`${name}.example`);
    }

    async function refusal(
      response: Response,
    ): Promise<{ allowed: boolean; status: { code: number; message: string } }> {
      expect(response.status).toBe(200);
      return ((await response.json()) as { response: { allowed: boolean; status: { code: number; message: string } } })
        .response;
    }

    test.each(webhooks)("%s: a body of 20 MB is 413, told at once or found on the way", async (path) => {
      const large = new Uint8Array(20 * 1024 * 1024).fill(0x20);
      const told = await running.fetch(path, { method: "POST", body: large });
      expect(told.status).toBe(413);
      expect(await told.json()).toMatchObject({ error: "too-large" });
      const parts = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let part = 0; part < 20; part += 1) controller.enqueue(large.subarray(0, 1024 * 1024));
          controller.close();
        },
      });
      const found = await running.fetch(path, { method: "POST", body: parts, duplex: "half" });
      expect(found.status).toBe(413);
      await found.body?.cancel();
      await expectToWork(`after-large-${path.slice(1)}`);
    });

    test.each([
      ["broken JSON", '{"kind": "AdmissionReview"'],
      ["no body", ""],
      ["something else", "<html>"],
    ])("%s is 400", async (_title, body) => {
      for (const path of webhooks) {
        const answer = await post(path, body);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toEqual({ error: "invalid", message: "the body must be JSON in UTF-8" });
      }
    });

    test("text that is not UTF-8 is 400", async () => {
      for (const path of webhooks) {
        const answer = await running.fetch(path, { method: "POST", body: new Uint8Array([0x22, 0xff, 0x22]) });
        expect(answer.status).toBe(400);
        await answer.body?.cancel();
      }
    });

    test("what is no AdmissionReview, or no EventList, is 400 at that door", async () => {
      const anyReview = asking("wrong-door", {}).reviewed;
      const other = { ...anyReview, apiVersion: "admission.k8s.io/v1beta1" };
      for (const body of [{}, [], null, "text", 1, eventList(), other, { ...anyReview, request: undefined }]) {
        const answer = await post("/admission", JSON.stringify(body));
        expect(answer.status, JSON.stringify(body)).toBe(400);
        expect(await answer.json()).toMatchObject({
          error: "invalid",
          message: expect.stringMatching(/AdmissionReview/),
        });
      }
      for (const body of [{}, [], null, "text", 1, anyReview, { ...eventList(), items: {} }]) {
        const answer = await post("/audit", JSON.stringify(body));
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
          const answer = await running.fetch(path, { method });
          expect(answer.status, `${method} ${path}`).toBe(405);
          expect(answer.headers.get("allow")).toBe(allowed);
          expect(await answer.json()).toMatchObject({ error: "method-not-allowed" });
        }
      }
      for (const path of ["/nothing", "/status/more", "/admission/a/b"]) {
        const answer = await running.fetch(path);
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject({ error: "not-found" });
      }
    });

    test.each([
      ["quotes", `web"'`],
      ["spaces", "we b"],
      ["a path", "../../etc/passwd"],
      ["a newline", "web\nInjected: header"],
      ["a null character", "web\u0000"],
      ["markup", "<script>alert(1)</script>"],
      ["capitals", "Web"],
      ["too many characters", "w".repeat(64)],
      ["no characters", ""],
    ])("a name with %s is refused by a review and told by the status", async (title, name) => {
      const before = await settled();
      const bad = asking(name, { "entrance.dev/http": "bad-name.example" });
      const { allowed, status: refused } = await refusal(await post("/admission", bad.reviewed));
      expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
      expect(refused.message).not.toMatch(/[\n\0<]/);

      const auditID = `audit-${title.replaceAll(" ", "-")}`;
      const event1 = eventList(event("create", "Service", bad.wire, { auditID }, { name }));
      expect(await (await post("/audit", event1)).json()).toMatchObject({ changed: 0, unusable: 1 });
      const after = await settled();
      expect(after.refused.flatMap(({ reasons }) => reasons).join("\n")).toContain(`event ${auditID}: `);
      expect(JSON.stringify(after.refused)).not.toContain("<script>");
      expect(after.balancers[0]?.head).toEqual(before.balancers[0]?.head);
      expect(after.domains).toEqual(before.domains);
      await expectToWork(`after-${title.replaceAll(" ", "-")}`);
    });

    test.each([
      ["a domain with a space", { "entrance.dev/http": "www shop.example" }, {}, /host name/],
      ["a domain with a path upwards", { "entrance.dev/http": "..%2f.example" }, {}, /host name/],
      ["a domain with a newline", { "entrance.dev/http": "www.example\nserver {" }, {}, /host name/],
      ["a port of 99999 in an annotation", { "entrance.dev/http": "port.example=99999" }, {}, /65535/],
      ["a listener of 99999", { "entrance.dev/tcp": "99999:80" }, {}, /65535/],
      ["a port of 99999 in the spec", {}, { ports: [{ name: "http", port: 99_999, protocol: "TCP" }] }, /65535/],
      ["a class that nobody serves", { "entrance.dev/class": "no such" }, {}, /class/],
    ])("%s is refused by a review and told by the status", async (title, annotations, spec, reason) => {
      const before = await settled();
      const name = title.replaceAll(/[^a-z0-9]+/g, "-");
      const bad = asking(name, annotations, spec);
      const { allowed, status: refused } = await refusal(await post("/admission", bad.reviewed));
      expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
      expect(refused.message).toMatch(reason);

      expect((await post("/audit", bad.audited)).status).toBe(200);
      const after = await settled();
      const told = after.refused.find(({ object }) => object.endsWith(`/${name}`));
      expect(told?.reasons.join("\n")).toMatch(reason);
      expect(after.balancers[0]?.head).toEqual(before.balancers[0]?.head);
      await expectToWork(`after-${name}`);
    });

    test("one bad event in a list harms none of the others", async () => {
      const good = asking("good-in-list", { "entrance.dev/http": "good-in-list.example" });
      const bad = event(
        "create",
        "Service",
        { kind: "Service", apiVersion: "v1", metadata: 7 },
        { auditID: "bad-one" },
      );
      const list = eventList(bad, "no event", null, ...(good.audited["items"] as unknown[]));
      expect(await (await post("/audit", list)).json()).toMatchObject({ changed: 1, unusable: 3 });
      expect((await settled()).domains.map(({ name }) => name)).toContain("good-in-list.example");
    });

    test("a domain of another tenant is refused by a review, and told by the status where there was none", async () => {
      const host = { "entrance.dev/http": "contested.example" };
      expect((await post("/audit", asking("contested", host).audited)).status).toBe(200);
      await settled();
      const wire = ingress(
        { rules: [{ host: "contested.example" }], defaultBackend: { service: { name: "web", port: { number: 80 } } } },
        { name: "late", namespace: "other", uid: "uid-late", resourceVersion: "2000" },
      );
      const reviewed = review("CREATE", "Ingress", { name: "late", namespace: "other", object: wire });
      const { allowed, status: refused } = await refusal(await post("/admission", reviewed));
      expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
      expect(refused.message).toMatch(/^contested\.example is held by another tenant/);
      const audited = event("create", "Ingress", wire, {}, { name: "late", namespace: "other" });
      expect((await post("/audit", eventList(audited))).status).toBe(200);
      const late = (await settled()).refused.find(({ object }) => object === "Ingress/other/late");
      expect(late?.reasons).toContainEqual(expect.stringMatching(/^contested\.example is held by another tenant/));
    });

    test("a dry run writes nothing", async () => {
      const { wire, reviewed } = asking("dry-run-only", { "entrance.dev/http": "dry-run.example" });
      const asked = [
        { ...(reviewed["request"] as Json), dryRun: true },
        { ...(reviewed["request"] as Json), options: { kind: "CreateOptions", dryRun: ["All"] } },
      ];
      for (const request of asked) {
        const answer = await post("/admission", { ...reviewed, request });
        expect(await answer.json()).toMatchObject({ response: { allowed: true } });
      }
      const requestURI = "/api/v1/namespaces/shop/services?dryRun=All";
      const audited = event("create", "Service", wire, { requestURI }, { name: "dry-run-only" });
      expect(await (await post("/audit", eventList(audited))).json()).toMatchObject({ changed: 0, ignored: 1 });
      await settled();
      expect(running.stored()).not.toContain("dry-run");
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
      expect(await (await post("/admission", reviewed)).json()).toMatchObject({ response: { allowed: true } });
      const audited = event("create", "Secret", secret, {}, { resource: "secrets", name: "shop-tls" });
      expect((await post("/audit", eventList(audited, { ...audited, level: "Metadata" }))).status).toBe(200);
      const applied = { "kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0LWtleQ==" };
      expect((await post("/audit", asking("carries-a-secret", applied).audited)).status).toBe(200);
      await settled();
      const pages = await Promise.all(["/status", "/metrics", "/"].map((path) => running.fetch(path)));
      const seen = [running.stored(), running.printed(), ...(await Promise.all(pages.map((page) => page.text())))];
      expect(running.stored()).toContain("carries-a-secret");
      for (const text of seen) expect(text).not.toMatch(/c2VjcmV0|secret-key|secret-cert/);
    });

    test("health, metrics, status and the page", async () => {
      await expectToWork("seen-from-outside");
      for (const path of ["/healthz", "/readyz"]) {
        const answer = await running.fetch(path);
        expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
      }
      const metrics = await running.fetch("/metrics");
      expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
      const lines = (await metrics.text()).trimEnd().split("\n");
      const sample = /^[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? \d+(\.\d+)?$/;
      expect(lines.filter((line) => !/^# TYPE [a-z_]+ (counter|gauge)$/.test(line) && !sample.test(line))).toEqual([]);
      expect(lines).toContain("entrance_marks_due 0");
      expect(lines.join("\n")).toMatch(/entrance_node_up\{balancer="openresty",node="[^"]+"\} 1/);

      const now = await settled();
      expect(now.marks).toMatchObject({ due: 0, later: 0 });
      expect(now.balancers).toHaveLength(1);
      expect(now.balancers[0]).toMatchObject({ name: "openresty", classes: ["entrance"], nodes: [{ lag: 0 }] });
      expect(now.domains.find(({ name }) => name === "seen-from-outside.example")).toMatchObject({ tenant: "shop" });

      const page = await running.fetch("/");
      expect(page.headers.get("content-type")).toMatch(/^text\/html/);
      const html = await page.text();
      expect(html).toContain("seen-from-outside.example");
      expect(html).not.toContain("<script");
    });

    test("the status goes through domains page by page, and refuses a page of no size", async () => {
      await expectToWork("page-1");
      await expectToWork("page-2");
      const all = (await status()).domains.map(({ name }) => name);
      const walked: string[] = [];
      let next: string | undefined = "";
      while (next !== undefined) {
        const page = await running.fetch(`/status?limit=1${next === "" ? "" : `&after=${encodeURIComponent(next)}`}`);
        const part = (await page.json()) as Status;
        walked.push(...part.domains.map(({ name }) => name));
        next = part.next;
      }
      expect(walked).toEqual(all);
      for (const limit of ["0", "-1", "1001", "x", "1.5"]) {
        const answer = await running.fetch(`/status?limit=${limit}`);
        expect(answer.status).toBe(400);
        await answer.body?.cancel();
      }
    });

    test("a resync does the timer's work and says that the LIST is off", async () => {
      const answer = await running.fetch("/resync", { method: "POST" });
      expect(await answer.json()).toEqual({ repaired: true, list: expect.stringMatching(/^off: /) });
    });
  });

  describe(`${host.name}: doors with a token`, () => {
    let running: RunningHost;

    beforeAll(async () => {
      running = await host.start({ ENTRANCE_WEBHOOK_TOKEN: `${token},the-old-token-of-tests` });
    });
    afterAll(async () => {
      await running?.stop();
    });

    async function call(path: string, authorization: string | undefined): Promise<number> {
      const body = path === "/audit" ? eventList() : review("CREATE", "Service", { object: service() });
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await running.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      if (answer.status === 401) expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      await answer.body?.cancel();
      return answer.status;
    }

    test("without a token, or with a wrong one, every webhook is 401", async () => {
      for (const path of ["/admission", "/audit", "/resync"]) {
        for (const wrong of [undefined, "Bearer wrong", `Basic ${token}`, `Bearer ${token}x`, "Bearer ", token]) {
          expect(await call(path, wrong), `${path} ${wrong}`).toBe(401);
        }
      }
      expect(await call("/admission/wrong", undefined)).toBe(401);
      expect(await call(`/admission/wrong`, "Bearer wrong")).toBe(401);
    });

    test("either of two valid tokens is enough, in the header or in the path of admission", async () => {
      for (const path of webhooks) {
        expect(await call(path, `Bearer ${token}`)).toBe(200);
        expect(await call(path, "Bearer the-old-token-of-tests")).toBe(200);
      }
      expect(await call(`/admission/${token}`, undefined)).toBe(200);
    });

    test("health needs none, views on loopback neither, and nothing says what the token is", async () => {
      for (const path of ["/healthz", "/readyz", "/status", "/metrics", "/"]) {
        const answer = await running.fetch(path);
        expect(answer.status).toBe(200);
        expect(await answer.text()).not.toContain("token-of");
      }
      expect(running.stored() + running.printed()).not.toContain("token-of");
    });
  });
}
