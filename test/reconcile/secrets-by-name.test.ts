/** With an API, Secrets are read by name, and only while something refers to them. */
import { beforeAll, expect, test } from "vitest";
import type { SeenReference } from "../../shared/model/observation.ts";
import { hintPartition, seenKey, seenPartition, wantPartition } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { surveyRefused } from "../../shared/reconcile/survey.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";

const host = "a.example";
/** A tenant's own. */
const hostIn = (namespace: string) => (namespace === "shop" ? host : `${namespace}.example`);
const certificateKey = "Certificate/shop/web-tls";
let first: Pair;
let second: Pair;

beforeAll(() => {
  [first, second] = [makeCertificate([host]), makeCertificate([host])];
});

const secret = (name = "web-tls", namespace = "shop"): SeenReference => ({ kind: "Secret", namespace, name });
const route = (namespace = "shop"): SeenReference => ({ kind: "Ingress", namespace, name: "web" });

function putSecret(cluster: ListedCluster, { chain, key }: Pair, of = secret()): void {
  cluster.put(of, { type: "kubernetes.io/tls", data: { "tls.crt": btoa(chain), "tls.key": btoa(key) } });
}

function putRoute(cluster: ListedCluster, tls = true, of = route()): void {
  const named = hostIn(of.namespace);
  const backend = { service: { name: "web", port: { number: 80 } } };
  cluster.put(of, {
    spec: {
      ingressClassName: "entrance",
      rules: [{ host: named, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      ...(tls ? { tls: [{ hosts: [named], secretName: "web-tls" }] } : {}),
    },
  });
}

function started() {
  const cluster = new ListedCluster();
  const test = newTestEntrance({ kubernetes: cluster });
  return { cluster, test };
}

async function tickAfter(test: TestEntrance, ms: number): Promise<void> {
  test.clock += ms;
  await test.entrance.tick();
  await test.host.settled();
}

async function told(test: TestEntrance, reference: SeenReference): Promise<void> {
  await test.entrance.observe([{ type: "hint", reference }]);
  await test.host.settled();
}

const chainOn = (test: TestEntrance) => {
  const value = test.node().resources.get(certificateKey)?.value;
  return typeof value === "object" && value !== null && "chain" in value ? value.chain : undefined;
};
const known = (test: TestEntrance) => listAll(test.context.store, seenPartition("Secret"));
const reasonsOf = async (test: TestEntrance, name: string) =>
  (await surveyRefused(test.context, 10)).find(({ object }) => object === name)?.reasons.join() ?? "";

test("one that nothing refers to is never read, whoever tells of it", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  putRoute(cluster, false);
  await tickAfter(test, 0);
  await told(test, secret());
  await tickAfter(test, 300_000);
  expect(cluster.secretsRead).toEqual([]);
  expect(await known(test)).toEqual([]);
  expect(await listAll(test.context.store, hintPartition)).toEqual([]);
});

test("it is read at once when something begins to refer to it, and what changes is read again", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  await tickAfter(test, 0);
  putRoute(cluster);
  await told(test, route());
  expect(chainOn(test)).toBe(first.chain);
  putSecret(cluster, second);
  await told(test, secret());
  expect(chainOn(test)).toBe(second.chain);
  expect(await listAll(test.context.store, hintPartition)).toEqual([]);
});

test("a change that nobody told of is found by the LIST, and so is one that was missing", async () => {
  const { cluster, test } = started();
  putRoute(cluster);
  await tickAfter(test, 0);
  expect(await reasonsOf(test, "Ingress/shop/web")).toContain("Secret shop/web-tls is not known yet");
  for (const pair of [first, second]) {
    putSecret(cluster, pair);
    await tickAfter(test, 300_000);
    expect(chainOn(test)).toBe(pair.chain);
  }
  cluster.remove(secret());
  await tickAfter(test, 300_000);
  expect(chainOn(test)).toBeUndefined();
});

test("it is read though whoever began to refer to it died before", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  await tickAfter(test, 0);
  putRoute(cluster);
  const { api } = cluster;
  const { list } = api;
  api.list = (kind, limit, options) => (kind === "Secret" ? new Promise(() => undefined) : list(kind, limit, options));
  await test.entrance.observe([{ type: "hint", reference: route() }]);
  await expect.poll(() => listAll(test.context.store, hintPartition)).toHaveLength(1);
  api.list = list;
  const next = newTestEntrance({
    kubernetes: cluster,
    store: test.context.store,
    nodes: test.nodes,
    instance: "next",
    startMs: test.clock + 20_000,
  });
  await tickAfter(next, 0);
  expect(chainOn(next)).toBe(first.chain);
});

test("a review of one that is about to be referred to waits for both", async () => {
  const { cluster, test } = started();
  await tickAfter(test, 0);
  await test.entrance.reviewed({ type: "hint", reference: secret() });
  await test.host.settled();
  // The review is older than the route, and the write slower.
  putRoute(cluster);
  await told(test, route());
  putSecret(cluster, first);
  await tickAfter(test, 5_000);
  expect(chainOn(test)).toBe(first.chain);
});

test("nothing is kept of one that nothing refers to any more, and it is read anew when something does", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  putRoute(cluster);
  await tickAfter(test, 0);
  await tickAfter(test, 5_000);
  expect(chainOn(test)).toBe(first.chain);
  putRoute(cluster, false);
  await told(test, route());
  await tickAfter(test, 300_000);
  await tickAfter(test, 5_000);
  expect(await known(test)).toEqual([]);
  expect(await listAll(test.context.store, wantPartition("Secret"))).toEqual([]);
  expect(await listAll(test.context.store, hintPartition)).toEqual([]);
  // As it was: no version of it is new.
  putRoute(cluster);
  await told(test, route());
  expect(chainOn(test)).toBe(first.chain);
});

test("one that no role allows to read is told of to whoever refers to it, and holds up nothing", async () => {
  const { cluster, test } = started();
  cluster.closed.add("closed");
  for (const namespace of ["shop", "closed"]) {
    putSecret(cluster, first, secret("web-tls", namespace));
    putRoute(cluster, true, route(namespace));
  }
  await tickAfter(test, 0);
  await tickAfter(test, 5_000);
  expect(chainOn(test)).toBe(first.chain);
  const sentence = "let a role allow to get secrets in the namespace closed";
  expect(await reasonsOf(test, "Ingress/closed/web")).toContain(sentence);
  expect(await listAll(test.context.store, hintPartition)).toEqual([]);
  // Again and again it is the same, and nothing but the time of the LIST is written.
  const before = await test.context.store.get(seenKey(secret("web-tls", "closed")));
  await tickAfter(test, 300_000);
  expect(await test.context.store.get(seenKey(secret("web-tls", "closed")))).toEqual(before);
  expect(test.warnings).toEqual([]);

  cluster.closed.clear();
  await tickAfter(test, 300_000);
  expect(await reasonsOf(test, "Ingress/closed/web")).not.toContain(sentence);
});

test("a role that is taken away leaves what was read as it is", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  putRoute(cluster);
  await tickAfter(test, 0);
  await tickAfter(test, 5_000);
  cluster.closed.add("shop");
  await tickAfter(test, 300_000);
  await tickAfter(test, 300_000);
  expect(chainOn(test)).toBe(first.chain);
  expect(test.counters.all()).toContainEqual(["entrance_unreadable_secrets_total", 2]);
  expect(test.warnings).toEqual([]);
});

test("one that the API cannot tell of holds up no LIST, and serves on as it was; many are a LIST that failed", async () => {
  const { cluster, test } = started();
  putSecret(cluster, first);
  putRoute(cluster);
  await tickAfter(test, 0);
  await tickAfter(test, 5_000);
  cluster.broken.add("shop/web-tls");
  cluster.put({ kind: "Service", namespace: "shop", name: "late" }, { spec: { ports: [{ name: "http", port: 80 }] } });
  await tickAfter(test, 300_000);
  expect(chainOn(test)).toBe(first.chain);
  expect(test.warnings).toEqual([
    "the LIST goes on without Secret shop/web-tls: cannot get Secret shop/web-tls: status 500",
  ]);
  expect(await test.context.store.get(seenKey({ kind: "Service", namespace: "shop", name: "late" }))).toBeDefined();

  for (let index = 0; index < 9; index += 1) {
    cluster.broken.add(`many-${index}/web-tls`);
    putRoute(cluster, true, route(`many-${index}`));
  }
  await tickAfter(test, 300_000);
  await tickAfter(test, 300_000);
  expect(test.warnings.join()).toContain("the LIST failed: cannot get Secret");
  expect(chainOn(test)).toBe(first.chain);
});
