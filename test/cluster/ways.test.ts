/** Three ways of hearing of a change, of which each alone is enough: reviews, audit, and the LIST. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { tickKey } from "../../shared/reconcile/keys.ts";
import { openEtcd } from "../../shared/store/etcd.ts";
import type { Store } from "../../shared/store/port.ts";
import { until } from "./api.ts";
import { turnAuditOff, turnAuditOn } from "./audit.ts";
import { askEntrance } from "./installed.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { World } from "./world.ts";

const prefix = "ways";
/** The longest that can be set: no timer lists while these tests run. */
const listSeconds = 3_600;
const listIsFarMs = 1_800_000;

let world: World;
let store: Store;

beforeAll(async () => {
  world = await World.start({ ENTRANCE_ETCD_PREFIX: prefix, ENTRANCE_LIST_SECONDS: String(listSeconds) });
  store = openEtcd({ endpoints: [world.facts.store], prefix, user: undefined, ca: undefined, client: undefined });
  // The CronJob would list every five minutes, and really runs here.
  const inEntrance = (...args: readonly string[]) => world.kubectl("--namespace", "entrance", ...args);
  const suspended = await inEntrance("patch", "cronjob", "entrance-resync", "--patch", '{"spec":{"suspend":true}}');
  expect(suspended, suspended.err).toMatchObject({ code: 0 });
  expect(await inEntrance("delete", "jobs", "--all")).toMatchObject({ code: 0 });
  await until("the first LIST has ended", async () => {
    const { due = 0 } = JSON.parse((await store.get(tickKey("list")))?.value ?? "{}") as { due?: number };
    return due - Date.now() > listIsFarMs;
  });
});

afterAll(async () => {
  await store?.close();
  await turnAuditOff(world);
  await world?.stop();
});

/** In the order in which they are taken away: who knows that the last one is gone knows it of both. */
const configurations = ["entrance-endpointslices", "entrance"].map((name) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
}));

interface Heard {
  /** Answered by all copies. */
  readonly reviews: number;
  /** Ms since 1970. */
  readonly audit: number | undefined;
  /** The version of the record that every LIST claims when it begins, and writes again when it ends. */
  readonly list: string | undefined;
}

async function heard(): Promise<Heard> {
  const [addresses, status, list] = await Promise.all([
    world.installed.addresses(),
    world.installed.status(),
    store.get(tickKey("list")),
  ]);
  const texts = await Promise.all(addresses.map((address) => askEntrance(address, "/metrics")));
  const counts = texts.flatMap((text) => [...String(text).matchAll(/^entrance_reviews_total\S* (\d+)$/gm)]);
  return {
    reviews: counts.reduce((sum, [, count]) => sum + Number(count), 0),
    audit: status.heard?.audit,
    list: list?.version,
  };
}

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

/** The apiserver goes on with a configuration that is gone until it has heard of that. */
async function turnReviewsOff(): Promise<void> {
  for (const configuration of configurations) expect(await world.api.delete(configuration)).toBe(200);
  await until("nobody asks for reviews any more", async () => {
    const before = await heard();
    await world.apply(namespace("unasked"));
    await world.api.merge(namespace("unasked"), { metadata: { labels: { at: String(Date.now()) } } });
    return (await heard()).reviews === before.reviews;
  });
}

test("reviews alone, as on a managed cluster", async () => {
  const before = await heard();
  await converges("reviews-alone");
  const after = await heard();
  expect(after.reviews).toBeGreaterThan(before.reviews);
  expect(after).toMatchObject({ audit: undefined, list: before.list });
});

test("audit alone", async () => {
  await turnAuditOn(world);
  await turnReviewsOff();
  const before = await heard();
  await converges("audit-alone");
  const after = await heard();
  expect(after.audit).toBeDefined();
  expect(after).toMatchObject({ reviews: before.reviews, list: before.list });
});

test("the LIST alone", async () => {
  await turnAuditOff(world);
  const before = await heard();
  await converges("list-alone", () => world.installed.resync());
  const after = await heard();
  expect(after.list).not.toBe(before.list);
  expect(after).toMatchObject({ reviews: before.reviews, audit: before.audit });
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
