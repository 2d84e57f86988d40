/** Three ways of hearing of a change, of which each alone is enough: reviews, audit, and the LIST. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { tickKey } from "../../shared/reconcile/keys.ts";
import { openEtcd } from "../../shared/store/etcd.ts";
import type { Store } from "../../shared/store/port.ts";
import { type KubeObject, until } from "./api.ts";
import { turnAuditOff, turnAuditOn } from "./audit.ts";
import { askEntrance, webhookToken } from "./installed.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { storeText } from "./store-text.ts";
import { World } from "./world.ts";

const prefix = "ways";
/** The longest that can be set: no timer lists while these tests run. */
const listSeconds = 3_600;
const listIsFarMs = 1_800_000;
const passwords = ["not for logs, the first", "not for logs, the second"] as const;

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
  await listIsFar();
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

/** The last LIST has ended, and nobody has asked for another. */
async function listIsFar(): Promise<void> {
  await until("no LIST is near", async () => {
    const { due = 0 } = JSON.parse((await store.get(tickKey("list")))?.value ?? "{}") as { due?: number };
    return due - Date.now() > listIsFarMs;
  });
}

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

test("Secrets are told without their content: neither that nor a token stands in the status, the logs or the store", async () => {
  await turnAuditOn(world);
  const within = "told";
  const host = "told.example";
  const annotations = { "entrance.dev/auth-secret": "users" };
  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"), users(within, passwords[0]));
  await world.apply(ingress(within, "web", host, { annotations }));
  await until("the first password opens", () => opens(host, passwords[0]), 60_000);
  await listIsFar();
  const before = await heard();
  await world.apply(users(within, passwords[1]));
  await until("the second password opens", () => opens(host, passwords[1]), 60_000);
  // By audit: neither a review nor a LIST told of it.
  expect(await heard()).toMatchObject({ reviews: before.reviews, list: before.list });

  const said = {
    status: JSON.stringify(await world.installed.status()),
    logs: world.installed.logs(Number.POSITIVE_INFINITY),
    store: await storeText(world.facts),
  };
  const secrets = [...passwords, webhookToken].flatMap((text) => [text, btoa(text)]);
  for (const [place, text] of Object.entries(said)) {
    expect(text, place).not.toBe("");
    expect(
      secrets.filter((secret) => text.includes(secret)),
      place,
    ).toEqual([]);
  }
});

function users(within: string, password: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "users", namespace: within },
    type: "kubernetes.io/basic-auth",
    stringData: { username: "ann", password },
  };
}

async function opens(host: string, password: string): Promise<boolean> {
  const headers = { authorization: `Basic ${btoa(`ann:${password}`)}` };
  return (await world.node.get(host, "/", { headers })).status === 200;
}
