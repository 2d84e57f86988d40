/** Objects that cannot be used: refused by a review, told by the status, and no harm to anything else. */
import { expect, test } from "vitest";
import { event, eventList, ingress, review } from "../../observe/wire.ts";
import { type Caller, refusal } from "../caller.ts";

export function objectCases(caller: () => Caller): void {
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
    const before = await caller().settled();
    const bad = caller().asking(name, { "entrance.dev/http": "bad-name.example" });
    const { allowed, status: refused } = await refusal(await caller().post("/admission", bad.reviewed));
    expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
    expect(refused.message).not.toMatch(/[\n\0<]/);

    const auditID = `audit-${title.replaceAll(" ", "-")}`;
    const event1 = eventList(event("create", "Service", bad.wire, { auditID }, { name }));
    expect(await (await caller().post("/audit", event1)).json()).toMatchObject({ changed: 0, unusable: 1 });
    const after = await caller().settled();
    expect(after.refused.flatMap(({ reasons }) => reasons).join("\n")).toContain(`event ${auditID}: `);
    expect(JSON.stringify(after.refused)).not.toContain("<script>");
    expect(after.balancers[0]?.head).toEqual(before.balancers[0]?.head);
    expect(after.domains).toEqual(before.domains);
    await caller().expectToWork(`after-${title.replaceAll(" ", "-")}`);
  });

  test.each([
    ["a domain with a space", { "entrance.dev/http": "www shop.example" }, {}, /host name/],
    ["a domain with a path upwards", { "entrance.dev/http": "..%2f.example" }, {}, /host name/],
    ["a domain with a newline", { "entrance.dev/http": "www.example\nserver {" }, {}, /host name/],
    ["a domain with markup", { "entrance.dev/http": "<script>alert(1)</script>.example" }, {}, /host name/],
    ["a port of 99999 in an annotation", { "entrance.dev/http": "port.example=99999" }, {}, /65535/],
    ["a listener of 99999", { "entrance.dev/tcp": "99999:80" }, {}, /65535/],
    ["a port of 99999 in the spec", {}, { ports: [{ name: "http", port: 99_999, protocol: "TCP" }] }, /65535/],
    ["a class that nobody serves", { "entrance.dev/class": "no such" }, {}, /class/],
  ])("%s is refused by a review and told by the status", async (title, annotations, spec, reason) => {
    const before = await caller().settled();
    const name = title.replaceAll(/[^a-z0-9]+/g, "-");
    const bad = caller().asking(name, annotations, spec);
    const { allowed, status: refused } = await refusal(await caller().post("/admission", bad.reviewed));
    expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
    expect(refused.message).toMatch(reason);

    expect((await caller().post("/audit", bad.audited)).status).toBe(200);
    const after = await caller().settled();
    const told = after.refused.find(({ object }) => object.endsWith(`/${name}`));
    expect(told?.reasons.join("\n")).toMatch(reason);
    expect(after.balancers[0]?.head).toEqual(before.balancers[0]?.head);
    await caller().expectToWork(`after-${name}`);
  });

  test.each([
    ["a fault in an annotation", { "entrance.dev/http": "not a host" }, {}, /host name/],
    ["a shape that can't be used", {}, { ports: [{ name: "http", port: 99_999, protocol: "TCP" }] }, /65535/],
  ])(
    "an update is not refused for %s that the object had before, but for a new one",
    async (_, faulty, spec, reason) => {
      const update = async (annotations: object, later: object, before = spec) => {
        const oldObject = caller().asking("older", { ...faulty }, before).wire;
        const object = caller().asking("older", { ...faulty, ...annotations }, { ...spec, ...later }).wire;
        const reviewed = review("UPDATE", "Service", { name: "older", object, oldObject, dryRun: true });
        return refusal(await caller().post("/admission", reviewed));
      };
      const left = await update({ "entrance.dev/body-limit": "1m" }, {});
      expect(left).toMatchObject({ allowed: true, warnings: [expect.stringMatching(reason)] });
      const more = await update(
        { "entrance.dev/class": "no such" },
        { ports: [{ port: 70_000, protocol: "TCP" }] },
        {},
      );
      expect(more).toMatchObject({ allowed: false, status: { code: 422 } });
    },
  );

  test("one bad event in a list harms none of the others", async () => {
    const good = caller().asking("good-in-list", { "entrance.dev/http": "good-in-list.example" });
    const bad = event("create", "Service", { kind: "Service", apiVersion: "v1", metadata: 7 }, { auditID: "bad-one" });
    const list = eventList(bad, "no event", null, ...(good.audited["items"] as unknown[]));
    expect(await (await caller().post("/audit", list)).json()).toMatchObject({ changed: 1, unusable: 3 });
    expect((await caller().settled()).domains.map(({ name }) => name)).toContain("good-in-list.example");
  });

  test("a domain of another tenant is refused by a review, and told by the status where there was none", async () => {
    const host = { "entrance.dev/http": "contested.example" };
    expect((await caller().post("/audit", caller().asking("contested", host).audited)).status).toBe(200);
    await caller().settled();
    const wire = ingress(
      { rules: [{ host: "contested.example" }], defaultBackend: { service: { name: "web", port: { number: 80 } } } },
      { name: "late", namespace: "other", uid: "uid-late", resourceVersion: "2000" },
    );
    const reviewed = review("CREATE", "Ingress", { name: "late", namespace: "other", object: wire });
    const { allowed, status: refused } = await refusal(await caller().post("/admission", reviewed));
    expect({ allowed, code: refused.code }).toEqual({ allowed: false, code: 422 });
    expect(refused.message).toMatch(/^contested\.example is held by another tenant/);
    const audited = event("create", "Ingress", wire, {}, { name: "late", namespace: "other" });
    expect((await caller().post("/audit", eventList(audited))).status).toBe(200);
    const late = (await caller().settled()).refused.find(({ object }) => object === "Ingress/other/late");
    expect(late?.reasons).toContainEqual(expect.stringMatching(/^contested\.example is held by another tenant/));
  });
}
