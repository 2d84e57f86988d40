/** What Entrance says of itself. */
import { expect, test } from "vitest";
import type { Status } from "../../../functions/status.ts";
import type { Caller } from "../caller.ts";

export function viewCases(caller: () => Caller): void {
  test("health, metrics, status and the page", async () => {
    await caller().expectToWork("seen-from-outside");
    for (const path of ["/healthz", "/readyz"]) {
      const answer = await caller().fetch(path);
      expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
    }
    const metrics = await caller().fetch("/metrics");
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await metrics.text()).trimEnd().split("\n");
    const sample = /^[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? \d+(\.\d+)?$/;
    expect(lines.filter((line) => !/^# TYPE [a-z_]+ (counter|gauge)$/.test(line) && !sample.test(line))).toEqual([]);
    expect(lines).toContain("entrance_marks_due 0");
    expect(lines.join("\n")).toMatch(/entrance_node_up\{balancer="openresty",node="[^"]+"\} 1/);

    const now = await caller().settled();
    expect(now.marks).toMatchObject({ due: 0, later: 0 });
    expect(now.balancers).toHaveLength(1);
    expect(now.balancers[0]).toMatchObject({ name: "openresty", classes: ["entrance"], nodes: [{ lag: 0 }] });
    expect(now.domains.find(({ name }) => name === "seen-from-outside.example")).toMatchObject({ tenant: "shop" });

    const page = await caller().fetch("/");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    const html = await page.text();
    expect(html).toContain("seen-from-outside.example");
    // Object cases have put some into a reason that is shown.
    expect(html).toContain("&lt;script&gt;");
    expect(html).not.toContain("<script");
  });

  test("the status goes through domains page by page, and refuses a page of no size", async () => {
    await caller().expectToWork("page-1");
    await caller().expectToWork("page-2");
    const all = (await caller().status()).domains.map(({ name }) => name);
    const walked: string[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const page = await caller().fetch(`/status?limit=1${next === "" ? "" : `&after=${encodeURIComponent(next)}`}`);
      const part = (await page.json()) as Status;
      walked.push(...part.domains.map(({ name }) => name));
      next = part.next;
    }
    expect(walked).toEqual(all);
    for (const limit of ["0", "-1", "1001", "x", "1.5"]) {
      const answer = await caller().fetch(`/status?limit=${limit}`);
      expect(answer.status).toBe(400);
      await answer.body?.cancel();
    }
  });

  test("a resync does the timer's work and says that the LIST is off", async () => {
    const answer = await caller().fetch("/resync", { method: "POST" });
    expect(await answer.json()).toEqual({ repaired: true, list: expect.stringMatching(/^off: /) });
  });
}
