/** The little cluster sends what a real kube-apiserver sent for the same writes. */
import { expect, test } from "vitest";
import { Cluster } from "../../infra/local/cluster.ts";
import type { ClusterObject } from "../../infra/local/cluster-object.ts";
import { ClusterStore } from "../../infra/local/cluster-store.ts";
import { type Manifest, parseManifests } from "../../infra/local/manifest.ts";
import type { Verdict } from "../../infra/local/webhooks.ts";
import { captured } from "../observe/capture.ts";

const requests = captured.flatMap(({ body }) => at(body, "request") ?? []);
const events = captured.flatMap(({ body }) => at(body, "items") ?? []);

function ingress(host: string): Manifest {
  return only(`
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: web, namespace: shop}
    spec:
      ingressClassName: entrance
      rules: [{host: ${host}, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]
  `);
}

const service = only(`
  apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
`);

function only(text: string): Manifest {
  const parsed = parseManifests(text);
  const [manifest] = parsed.ok ? parsed.manifests : [];
  if (manifest === undefined) throw new Error("no object");
  return manifest;
}

function clusterWith(answer: Partial<Verdict> = {}, options: { dryRun?: boolean } = {}) {
  const reviews: unknown[] = [];
  const audits: unknown[] = [];
  const store = new ClusterStore(":memory:");
  const cluster = new Cluster(
    store,
    {
      review: async (body) => {
        reviews.push(at(body, "request"));
        return { allowed: true, message: "", warnings: [], ...answer };
      },
      audit: async (body) => {
        audits.push(at(body, "items.0"));
      },
    },
    options,
  );
  return { cluster, store, reviews, audits };
}

/** Which fields there are, to the depth where a user's own content begins. */
function shape(value: unknown, path = ""): string[] {
  const isContent = /\.(spec|status|annotations|labels|managedFields|options|userInfo|user|requestObject)$/.test(path);
  if (value === null || typeof value !== "object" || Array.isArray(value) || isContent) return [path];
  const optional = new Set(["annotations", "labels", "managedFields", "status"]);
  return Object.entries(value)
    .filter(([key]) => !(optional.has(key) && path.endsWith("metadata")) && !(key === "status" && /bject$/.test(path)))
    .flatMap(([key, each]) => shape(each, `${path}.${key}`))
    .sort();
}

function find(list: readonly unknown[], fields: object): unknown {
  const found = list.find((each) => Object.entries(fields).every(([path, value]) => at(each, path) === value));
  if (found === undefined) throw new Error(`the capture has no ${JSON.stringify(fields)}`);
  return found;
}

function metadataOf(event: unknown) {
  return at(event, "responseObject.metadata") as ClusterObject["metadata"];
}

/** The value at a path of fields, like `object.metadata.uid`. */
function at(value: unknown, path: string): unknown {
  const field = (part: unknown, key: string) => (part as Record<string, unknown> | null | undefined)?.[key];
  return path.split(".").reduce(field, value);
}

test.each([
  ["CREATE", "Ingress"],
  ["UPDATE", "Ingress"],
  ["DELETE", "Ingress"],
  ["CREATE", "Service"],
  ["DELETE", "Service"],
])("the review of a %s of a %s has the fields of the real one", async (operation, kind) => {
  const { cluster, reviews } = clusterWith();
  const manifest = kind === "Service" ? service : ingress("a.example");
  await cluster.apply(manifest);
  if (operation === "UPDATE") await cluster.apply(ingress("b.example"));
  if (operation === "DELETE") await cluster.delete(manifest);
  expect(shape(reviews.at(-1))).toEqual(shape(find(requests, { operation, "kind.kind": kind, name: "web" })));
});

test.each([
  ["create", "ingresses"],
  ["delete", "ingresses"],
  ["create", "services"],
  ["delete", "services"],
])("the audit event of a %s of %s has the fields of the real one", async (verb, resource) => {
  const { cluster, audits } = clusterWith();
  const manifest = resource === "services" ? service : ingress("a.example");
  await cluster.apply(manifest);
  if (verb === "delete") await cluster.delete(manifest);
  const real = find(events, {
    verb,
    "objectRef.resource": resource,
    "objectRef.name": "web",
    level: "RequestResponse",
  });
  expect(shape(audits.at(-1))).toEqual(shape(real));
  expect(at(audits.at(-1), "objectRef")).toMatchObject(at(real, "objectRef") as object);
});

test("uid and creation stay, the resourceVersion rises with each change and with each change only", async () => {
  const { cluster, reviews, audits } = clusterWith();
  const results = [];
  for (const host of ["a.example", "b.example", "b.example"]) {
    results.push((await cluster.apply(ingress(host))).result);
  }
  expect(results).toEqual(["created", "configured", "unchanged"]);
  const [first, second, third] = audits.map(metadataOf);
  expect(second).toMatchObject({ uid: first?.uid, creationTimestamp: first?.creationTimestamp, generation: 2 });
  expect(Number(second?.resourceVersion)).toBeGreaterThan(Number(first?.resourceVersion));
  expect(third).toEqual(second);
  expect(at(reviews[0], "object.metadata.resourceVersion")).toBeUndefined();
  expect(at(reviews[1], "object.metadata.resourceVersion")).toBe(first?.resourceVersion);
  expect(at(reviews[1], "oldObject")).toEqual(at(audits[0], "responseObject"));
});

test("an object made again after its delete is another one", async () => {
  const { cluster, audits } = clusterWith();
  await cluster.apply(service);
  await cluster.delete(service);
  await cluster.apply(service);
  const [first, gone, again] = audits.map(metadataOf);
  expect(gone?.uid).toBe(first?.uid);
  expect(again?.uid).not.toBe(first?.uid);
  expect(Number(gone?.resourceVersion)).toBeGreaterThan(Number(first?.resourceVersion));
  expect(Number(again?.resourceVersion)).toBeGreaterThan(Number(gone?.resourceVersion));
});

test("what is refused is neither kept nor told", async () => {
  const { cluster, store, audits } = clusterWith({ allowed: false, message: "choose another host", warnings: ["w"] });
  expect(await cluster.apply(ingress("a.example"))).toEqual({
    object: "Ingress shop/web",
    result: "refused",
    message: "choose another host",
    warnings: ["w"],
  });
  expect(store.list()).toEqual([]);
  expect(audits).toEqual([]);
});

test("a dry run asks and tells as one, and keeps nothing", async () => {
  const { cluster, store, reviews, audits } = clusterWith({}, { dryRun: true });
  expect((await cluster.apply(service)).result).toBe("created");
  expect(reviews[0]).toMatchObject({ dryRun: true, options: { dryRun: ["All"] } });
  expect(at(audits[0], "requestURI")).toContain("dryRun=All");
  expect(store.list()).toEqual([]);
});

test("a Namespace goes with everything in it, and last", async () => {
  const { cluster, store, audits } = clusterWith();
  const namespace = only("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
  for (const manifest of [namespace, service, ingress("a.example")]) await cluster.apply(manifest);
  const outcomes = await cluster.delete(namespace);
  expect(outcomes.map(({ object, result }) => `${object} ${result}`)).toEqual([
    "Namespace shop deleted",
    "Service shop/web deleted",
    "Ingress shop/web deleted",
  ]);
  expect(store.list()).toEqual([]);
  const last = audits.at(-1);
  expect(last).toMatchObject({ verb: "update", objectRef: { resource: "namespaces", subresource: "finalize" } });
  expect(metadataOf(last)).toHaveProperty("deletionTimestamp");
  expect(at(last, "responseObject.spec")).toEqual({});
});

test("of a Secret the audit log tells no content", async () => {
  const { cluster, audits } = clusterWith();
  await cluster.apply(only("{apiVersion: v1, kind: Secret, metadata: {name: tls}, data: {key: c2VjcmV0}}"));
  expect(at(audits[0], "level")).toBe("Metadata");
  expect(JSON.stringify(audits)).not.toContain("c2VjcmV0");
});

test("a name is made up, and a namespace assumed, where none is given", async () => {
  const { cluster, reviews } = clusterWith();
  await cluster.apply(only("{apiVersion: apps/v1, kind: Deployment, metadata: {generateName: web-}}"));
  expect(at(reviews[0], "name")).toMatch(/^web-[a-z0-9]{5}$/);
  expect(at(reviews[0], "namespace")).toBe("default");
  expect(at(reviews[0], "resource")).toEqual({ group: "apps", version: "v1", resource: "deployments" });
});
