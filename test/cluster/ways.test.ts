/** Three ways of hearing of a change, of which each alone is enough: reviews, audit, and the LIST. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "./api.ts";
import { turnAuditOff, turnAuditOn } from "./audit.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await turnAuditOff(world);
  await world?.stop();
});

const configurations = ["entrance", "entrance-endpointslices"].map((name) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
}));

/** A route comes, leads elsewhere, and goes. */
async function converges(name: string, tell: () => Promise<void> = async () => undefined): Promise<void> {
  const host = `${name}.example`;
  await world.apply(
    namespace(name),
    web(name, "one", 1),
    service(name, "one"),
    web(name, "two", 1),
    service(name, "two"),
  );
  await world.apply(ingress(name, "web", host, { to: "one" }));
  const isFrom = async (app: string) => {
    await tell();
    const { status, headers } = await world.node.get(host);
    return status === 200 && String(headers["x-pod"]).startsWith(`${app}-`);
  };
  await until(`${host} leads to one`, () => isFrom("one"), 60_000);
  await world.apply(ingress(name, "web", host, { to: "two" }));
  await until(`${host} leads to two`, () => isFrom("two"), 60_000);
  await world.api.delete(ingress(name, "web", host));
  await until(
    `${host} is gone`,
    async () => {
      await tell();
      return (await world.node.get(host)).status === 404;
    },
    60_000,
  );
}

test("reviews alone, as on a managed cluster", () => converges("reviews-alone"));

test("audit alone", async () => {
  await turnAuditOn(world);
  for (const configuration of configurations) expect(await world.api.delete(configuration)).toBe(200);
  await converges("audit-alone");
});

test("the LIST alone", async () => {
  await turnAuditOff(world);
  await converges("list-alone", () => world.installed.resync());
});

test("Secrets are told without their content, and no token stands in the audit log's way", async () => {
  await turnAuditOn(world);
  const within = "told";
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: within },
    stringData: { password: "not for logs" },
  };
  await world.apply(namespace(within), secret);
  expect(JSON.stringify(await world.installed.status())).not.toContain("not for logs");
  expect(world.installed.logs()).not.toContain("not for logs");
});
