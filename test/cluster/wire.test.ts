/**
 * What the apiserver really sends, against what the captures of test/captures have taught us to expect: whatever is
 * decoded, simulated or made by `npm run apply` rests on this.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { root } from "../../infra/wrangler.ts";
import { decodeEventList } from "../../shared/observe/audit-event.ts";
import { decodeReview } from "../../shared/observe/review.ts";
import { Api, type KubeObject, until } from "./api.ts";
import { command } from "./command.ts";
import { adminToken } from "./control-plane.ts";
import { kubectl } from "./kubectl.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { Recorder } from "./recorder.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
const within = "wire";
const settings = { prefix: "entrance.dev" };
let recorder: Recorder;

interface Review {
  readonly request: {
    readonly operation: string;
    readonly kind: { readonly kind: string };
    readonly name?: string;
    readonly dryRun?: boolean;
    readonly object: KubeObject | null;
    readonly oldObject: KubeObject | null;
  };
}

interface Event {
  readonly auditID: string;
  readonly level: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef: { readonly resource: string; readonly name?: string; readonly namespace?: string };
  readonly responseStatus: { readonly code: number };
  readonly requestObject?: { readonly kind: string };
  readonly responseObject?: {
    readonly kind: string;
    readonly metadata?: { readonly name?: string; readonly uid?: string };
  };
}

function reviews(): Review[] {
  return recorder.recorded.flatMap(({ path: at, body }) => (at.startsWith("/admission") ? [body as Review] : []));
}

function events(): Event[] {
  return recorder.recorded.flatMap(({ path: at, body }) =>
    at.startsWith("/audit") ? (body as { items: Event[] }).items : [],
  );
}

function reviewsOf(kind: string, operation: string): Review["request"][] {
  return reviews()
    .map(({ request }) => request)
    .filter((request) => request.kind.kind === kind && request.operation === operation);
}

function eventsOf(resource: string, verb: string): Event[] {
  return events().filter((event) => event.objectRef.resource === resource && event.verb === verb);
}

/** Our own, but for where they lead. */
function configurations(): KubeObject[] {
  const text = readFileSync(path.join(root, "infra/kubernetes/webhooks.yaml"), "utf8");
  const clientConfig = {
    url: `${recorder.url}/admission`,
    caBundle: Buffer.from(recorder.authority).toString("base64"),
  };
  return parseAllDocuments(text).map((document) => {
    const { webhooks, metadata, ...rest } = document.toJS() as KubeObject & { webhooks: object[] };
    return {
      ...rest,
      metadata: { name: `recorded-${metadata.name}` },
      webhooks: webhooks.map((each) => ({ ...each, clientConfig })),
    };
  });
}

async function turnAuditOn(): Promise<void> {
  const webhookFile = path.join(facts.folder, "recorder.json");
  const cluster = {
    server: `${recorder.url}/audit`,
    "certificate-authority-data": Buffer.from(recorder.authority).toString("base64"),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: { token: "a-token-of-the-recorder" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(webhookFile, JSON.stringify(config));
  const policyFile = path.join(root, "infra/kubernetes/audit/policy.yaml");
  await command(facts.commands, {
    do: "restart-apiserver",
    audit: { policyFile, webhookFile, more: ["--audit-webhook-batch-max-wait=50ms"] },
  });
}

/** A namespace's life. */
async function live(): Promise<void> {
  await api.apply(namespace(within));
  await api.apply(service(within, "web"));
  await api.apply(web(within, "web", 1));
  const route = ingress(within, "web", "www.wire.example");
  expect((await kubectl(facts, ["apply", "--server-side", "-f", "-"], JSON.stringify(route))).code).toBe(0);
  await api.apply(ingress(within, "web", "www2.wire.example"));
  await api.merge(route, { status: { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } } }, "/status");
  await api.ask(
    "POST",
    `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses?dryRun=All`,
    ingress(within, "dry", "dry.wire.example"),
  );
  const { metadata: _, ...unnamed } = ingress(within, "", "generated.wire.example", { to: "web" });
  await api.must("POST", `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses`, {
    ...unnamed,
    metadata: { generateName: "made-" },
  });
  // Too late: somebody else has written it.
  const stale = {
    ...ingress(within, "web", "stale.wire.example"),
    metadata: { name: "web", namespace: within, resourceVersion: "1" },
  };
  await api.ask("PUT", `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses/web`, stale);
  await api.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "labelled", namespace: within, labels: { "entrance.dev/secret": "" } },
    stringData: { password: "of-nobody" },
  });
  await api.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "plain", namespace: within },
    stringData: { password: "of-nobody" },
  });
  await until("the pod has its endpoint", async () => {
    const { items } = await api.list(`/apis/discovery.k8s.io/v1/namespaces/${within}/endpointslices`);
    return items.some((item) =>
      ((item["endpoints"] ?? []) as { conditions: { ready: boolean } }[]).some(({ conditions }) => conditions.ready),
    );
  });
  await api.delete(route);
  await api.delete(service(within, "web"));
  const held = {
    ...service(within, "held"),
    metadata: { name: "held", namespace: within, finalizers: ["entrance.dev/test"] },
  };
  await api.create(held);
  await api.delete(held);
  await api.merge(held, { metadata: { finalizers: null } });
  await api.must("DELETE", `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses`);
  await api.delete(namespace(within));
  await until("the namespace is gone", async () => (await api.get(namespace(within))) === undefined);
  await recorder.quiet();
}

beforeAll(async () => {
  recorder = await Recorder.start();
  await turnAuditOn();
  for (const configuration of configurations()) expect((await api.apply(configuration)).status).toBeLessThan(300);
  // The apiserver takes a moment to know its webhooks.
  await until("reviews come", async () => {
    await api.apply({
      ...namespace("wire-first"),
      metadata: { name: "wire-first", annotations: { at: String(Date.now()) } },
    });
    return reviews().length > 0;
  });
  await live();
});

afterAll(async () => {
  for (const configuration of configurations()) await api.delete(configuration);
  await api.delete(namespace("wire-first"));
  await command(facts.commands, { do: "restart-apiserver", audit: null });
  const file = process.env["ENTRANCE_CAPTURE"];
  if (file) writeFileSync(file, recorder.recorded.map((each) => `${JSON.stringify(each)}\n`).join(""));
  await recorder?.stop();
});

test("paths come with a query, and the audit's with a token", () => {
  const paths = new Set(recorder.recorded.map(({ path: at, authorization }) => `${at} ${authorization}`));
  expect([...paths].sort()).toEqual([
    "/admission?timeout=1s ",
    "/admission?timeout=3s ",
    "/audit?timeout=30s Bearer a-token-of-the-recorder",
  ]);
});

test("a create's review has a uid, no resourceVersion, and the generated name", () => {
  const creates = reviewsOf("Ingress", "CREATE");
  expect(creates.length).toBeGreaterThan(2);
  for (const { object } of creates) {
    expect(object?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(object?.metadata.resourceVersion).toBeUndefined();
  }
  expect(
    creates.filter(({ name, object }) => name?.startsWith("made-") && object?.metadata.name === name),
  ).toHaveLength(1);
});

test("a create with generateName has its name in the answer alone", () => {
  const [made] = eventsOf("ingresses", "create").filter(({ responseObject }) =>
    responseObject?.metadata?.name?.startsWith("made-"),
  );
  expect(made?.objectRef.name).toBeUndefined();
  expect(made?.responseObject?.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
});

test("a dry run is told by the review, and by its URI alone in an event that looks real", () => {
  const dry = reviewsOf("Ingress", "CREATE").filter(({ dryRun }) => dryRun);
  expect(dry.map(({ name }) => name)).toEqual(["dry"]);
  const [event] = eventsOf("ingresses", "create").filter(({ requestURI }) => requestURI.includes("dryRun=All"));
  expect(event).toMatchObject({
    stage: "ResponseComplete",
    responseStatus: { code: 201 },
    responseObject: { kind: "Ingress" },
  });
});

test("failed writes are told, too", () => {
  expect(eventsOf("ingresses", "update").filter(({ responseStatus }) => responseStatus.code === 409)).toHaveLength(1);
});

test("a delete answers with a Status, or with the object", () => {
  const kinds = (resource: string) => eventsOf(resource, "delete").map(({ responseObject }) => responseObject?.kind);
  expect(kinds("ingresses")).toContain("Status");
  expect(kinds("services").every((kind) => kind === "Service" || kind === "Status")).toBe(true);
  expect(kinds("namespaces")).toContain("Namespace");
});

test("a deletecollection is one event with a List and no name, and its reviews name none either", () => {
  const [event] = eventsOf("ingresses", "deletecollection");
  expect(event?.objectRef.name).toBeUndefined();
  expect(event?.responseObject?.kind).toBe("IngressList");
  const deletes = reviewsOf("Ingress", "DELETE");
  expect(deletes.every(({ object, oldObject }) => object === null && oldObject !== null)).toBe(true);
  expect(deletes.some(({ name }) => name === undefined || name === "")).toBe(true);
});

test("Secrets are told without content; only certificates and labelled ones are reviewed", () => {
  const told = eventsOf("secrets", "patch");
  expect(told.map(({ level }) => level)).toEqual(["Metadata", "Metadata"]);
  expect(
    told.every(({ requestObject, responseObject }) => requestObject === undefined && responseObject === undefined),
  ).toBe(true);
  expect(reviewsOf("Secret", "CREATE").map(({ name }) => name)).toEqual(["labelled"]);
});

test("the old Endpoints are not told: the policy leaves them out", () => {
  expect(events().filter(({ objectRef }) => objectRef.resource === "endpoints")).toEqual([]);
});

test("every event came once, and all of them are of the last stage", () => {
  const ids = events().map(({ auditID, stage }) => `${auditID} ${stage}`);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(events().map(({ stage }) => stage))).toEqual(new Set(["ResponseComplete"]));
});

test("all of it can be decoded", () => {
  for (const { path: at, body } of recorder.recorded) {
    if (at.startsWith("/admission")) {
      const decoded = decodeReview(body, settings);
      expect(decoded.ok && decoded.subject.type !== "unusable", JSON.stringify(decoded)).toBe(true);
    } else {
      const decoded = decodeEventList(body, settings);
      expect(decoded.ok ? decoded.unusable : decoded.reason).toEqual([]);
    }
  }
});
