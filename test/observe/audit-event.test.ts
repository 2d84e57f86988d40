import { describe, expect, test } from "vitest";
import type { Observation } from "../../shared/model/observation.ts";
import { decodeEventList, maxEvents } from "../../shared/observe/audit-event.ts";
import { event, eventList, ingress, type Json, namespace, observeSettings, service } from "./wire.ts";

const web = { kind: "Service", namespace: "shop", name: "web" };

function decode(...items: readonly unknown[]) {
  const decoded = decodeEventList(eventList(...items), observeSettings);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded;
}

/** The one observation of one event. */
function observed(item: unknown): Observation | undefined {
  const { observations, ignored, unusable } = decode(item);
  expect({ ignored, unusable }).toEqual({ ignored: 0, unusable: [] });
  expect(observations).toHaveLength(1);
  return observations[0];
}

const at = (resourceVersion: string, step: number) => ({ resourceVersion, step });
const gone = (resourceVersion: string) => ({
  type: "gone",
  reference: web,
  uid: "u-1",
  position: at(resourceVersion, 2),
});
const hint = (reference: Json = web) => ({ type: "hint", reference });

const success = { kind: "Status", apiVersion: "v1", status: "Success" };
const deletionTimestamp = "2026-11-22T10:59:59Z";
const later = "2026-11-22T11:00:30Z";

describe("the object in the answer", () => {
  test.each(["create", "update", "patch"])("to a %s is what it is now", (verb) => {
    expect(observed(event(verb, "Service", service()))).toMatchObject({
      type: "object",
      reference: web,
      uid: "u-1",
      position: at("10", 0),
      object: { kind: "Service", name: "web", ports: [{ port: 80 }] },
    });
  });

  test("of a create with generateName has the name", () => {
    expect(observed(event("create", "Service", service({ name: "web-x1" }), {}, { name: undefined }))).toMatchObject({
      reference: { ...web, name: "web-x1" },
    });
  });

  test("to a write of the status is the whole object, too", () => {
    expect(observed(event("patch", "Service", service(), {}, { subresource: "status" }))).toMatchObject({
      type: "object",
      position: at("10", 0),
    });
  });

  test("to a patch that removes the last finalizer is the last of it", () => {
    expect(observed(event("patch", "Service", service({ deletionTimestamp })))).toEqual(gone("10"));
    // Another apiserver's clock may be ahead; the end is an end all the same.
    expect(observed(event("patch", "Service", service({ deletionTimestamp: later })))).toEqual(gone("10"));
  });

  test("to a patch that leaves a finalizer is still the object", () => {
    const object = service({ deletionTimestamp, finalizers: ["example.com/keep"] });
    expect(observed(event("patch", "Service", object))).toMatchObject({ type: "object", position: at("10", 0) });
  });

  test("to a delete is gone", () => {
    expect(observed(event("delete", "Service", service()))).toEqual(gone("10"));
    expect(observed(event("delete", "Service", service({ deletionTimestamp })))).toEqual(gone("10"));
  });

  test.each([
    ["finalizers hold it", service({ deletionTimestamp, finalizers: ["foregroundDeletion"] })],
    ["its period of grace is not over", service({ deletionTimestamp: later })],
  ])("to a delete is still there while %s", (_, object) => {
    expect(observed(event("delete", "Service", object))).toMatchObject({ type: "object", position: at("10", 0) });
  });

  test("to a delete of a namespace is still there while its spec holds it", () => {
    const reference = { kind: "Namespace", namespace: "", name: "shop" };
    const found = (finalizers: readonly string[], verb: string, subresource?: string) =>
      observed(
        event(verb, "Namespace", namespace({ deletionTimestamp }, finalizers), {}, { name: "shop", subresource }),
      );
    expect(found(["kubernetes"], "delete")).toMatchObject({ type: "object", reference });
    expect(found([], "update", "finalize")).toMatchObject({ type: "gone", reference, position: at("10", 2) });
  });

  test("that cannot be used is told with its name, and its last good shape stays", () => {
    expect(observed(event("patch", "Service", service({}, { ports: [{ port: 99999 }] })))).toMatchObject({
      type: "unusable",
      reference: web,
      position: at("10", 0),
      reason: expect.stringContaining("spec.ports.0.port"),
    });
  });
});

describe("a Status", () => {
  const details = { name: "web", kind: "services", uid: "u-1" };

  test("with a uid buries it", () => {
    expect(observed(event("delete", "Service", { ...success, details }))).toEqual({
      type: "buried",
      reference: web,
      uid: "u-1",
    });
  });

  test.each<[string, Json]>([
    ["without a uid", event("delete", "Service", { ...success, details: { name: "web" } })],
    ["without details", event("delete", "Service", success)],
    ["to another verb", event("create", "Service", { ...success, details })],
    ["to a write of a part", event("delete", "Service", { ...success, details }, {}, { subresource: "novelty" })],
    ["of a failure", event("delete", "Service", { ...success, status: "Failure", details })],
  ])("%s is a hint", (_, item) => {
    expect(observed(item)).toEqual(hint());
  });

  test.each(["binding", "eviction"])("to a pod's %s says nothing of what is stored", (subresource) => {
    expect(decode(event("create", "pods", { ...success, details }, {}, { subresource }))).toEqual({
      ok: true,
      observations: [],
      ignored: 1,
      unusable: [],
    });
  });
});

describe("a deletecollection", () => {
  const list = (...items: readonly Json[]) => ({
    kind: "IngressList",
    apiVersion: "networking.k8s.io/v1",
    metadata: { resourceVersion: "99" },
    items: items.map(({ kind, apiVersion, ...item }) => item),
  });
  const all = (response: unknown, changes: Json = {}) =>
    event("deletecollection", "Ingress", response, changes, { name: undefined });
  const named = (name: string, more: Json = {}) => ingress({}, { name, uid: `u-${name}`, ...more });

  test("ends each item at its own version", () => {
    expect(decode(all(list(named("a"), named("b", { resourceVersion: "12" })))).observations).toMatchObject([
      { type: "gone", reference: { kind: "Ingress", namespace: "shop", name: "a" }, uid: "u-a", position: at("10", 2) },
      { type: "gone", reference: { name: "b" }, uid: "u-b", position: at("12", 2) },
    ]);
  });

  test("leaves what finalizers hold", () => {
    expect(decode(all(list(named("a", { finalizers: ["x"] }), named("b")))).observations).toMatchObject([
      { type: "object", reference: { name: "a" }, position: at("10", 0) },
      { type: "gone", reference: { name: "b" } },
    ]);
  });

  test("of nothing says nothing", () => {
    expect(decode(all(list()))).toEqual({ ok: true, observations: [], ignored: 0, unusable: [] });
    expect(decode(all({ ...list(), items: null })).observations).toEqual([]);
  });

  test("that puts finalizers first shows its items as they were before: a hint of the whole kind", () => {
    const kind = { kind: "Ingress", namespace: "shop", name: "" };
    expect(observed(all(list(named("a")), { requestObject: { propagationPolicy: "Foreground" } }))).toEqual(hint(kind));
    expect(observed(all(list(named("a")), { requestURI: "/x?propagationPolicy=Orphan" }))).toEqual(hint(kind));
  });

  test("one bad item does not take the others with it", () => {
    const { observations, unusable } = decode(all(list(named("a"), { metadata: { name: "b" } })));
    expect(observations).toHaveLength(1);
    expect(unusable).toEqual([{ id: "a-1", reason: "metadata.uid: is missing" }]);
  });

  test.each(["Table", "PartialObjectMetadataList", "Status"])("answered with a %s is a hint of the kind", (kind) => {
    expect(observed(all({ kind, apiVersion: "meta.k8s.io/v1", items: [] }))).toEqual(
      hint({ kind: "Ingress", namespace: "shop", name: "" }),
    );
  });
});

describe("anything less is a hint", () => {
  test.each<[string, Json]>([
    ["truncated", event("patch", "Service", service(), { annotations: { "audit.k8s.io/truncated": "true" } })],
    [
      "truncated, as it looks",
      event("patch", "Service", undefined, { annotations: { "audit.k8s.io/truncated": "true" } }),
    ],
    ["level Metadata", event("patch", "Service", undefined, { level: "Metadata" })],
    ["level Request", event("patch", "Service", undefined, { level: "Request", requestObject: service() })],
    [
      "PartialObjectMetadata",
      event("patch", "Service", { ...service(), kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" }),
    ],
    ["a Table", event("patch", "Service", { kind: "Table", apiVersion: "meta.k8s.io/v1", rows: [] })],
    ["an older version", event("patch", "Service", { ...service(), apiVersion: "v1beta1" })],
    ["another kind", event("create", "Service", { kind: "Scale", apiVersion: "autoscaling/v1" })],
    ["no answer", event("patch", "Service", undefined)],
    ["no resourceVersion", event("patch", "Service", service({ resourceVersion: undefined }))],
    ["a part of a later Kubernetes", event("patch", "Service", service(), {}, { subresource: "novelty" })],
  ])("%s", (_, item) => {
    expect(observed(item)).toEqual(hint());
  });

  test("a hint of a create with generateName takes what name there is", () => {
    const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "web-x1" } };
    expect(observed(event("create", "Service", partial, {}, { name: "" }))).toEqual(hint({ ...web, name: "web-x1" }));
    expect(observed(event("create", "Service", undefined, { level: "Metadata" }, { name: "" }))).toEqual(
      hint({ ...web, name: "" }),
    );
  });
});

describe("ignored", () => {
  test.each<[string, unknown]>([
    ["stage RequestReceived", event("patch", "Service", undefined, { stage: "RequestReceived" })],
    ["stage ResponseStarted", event("patch", "Service", service(), { stage: "ResponseStarted" })],
    ["stage Panic", event("patch", "Service", service(), { stage: "Panic" })],
    ["a read", event("list", "Service", { kind: "ServiceList", apiVersion: "v1", items: [] })],
    ["a watch", event("watch", "Service", undefined)],
    ["a conflict", event("update", "Service", { ...success, status: "Failure" }, { responseStatus: { code: 409 } })],
    [
      "a refused write",
      event("patch", "Service", { ...success, status: "Failure" }, { responseStatus: { code: 422 } }),
    ],
    ["a redirect", event("patch", "Service", service(), { responseStatus: { code: 307 } })],
    ["a dry run", event("patch", "Service", service(), { requestURI: "/x?dryRun=All&fieldManager=kubectl" })],
    ["a dry run, encoded", event("patch", "Service", service(), { requestURI: "/x?a=b&dry%52un=%41ll" })],
    [
      "a dry run of a delete",
      event("delete", "Service", service(), { requestObject: { kind: "DeleteOptions", dryRun: ["All"] } }),
    ],
    ["a kind that is not stored", event("create", "configmaps", undefined, { level: "Metadata" })],
    ["the old endpoints", event("update", "endpoints", { kind: "Endpoints", apiVersion: "v1" })],
    ["an Ingress of another group", event("create", "Ingress", ingress(), {}, { apiGroup: "extensions" })],
    ["a request through the proxy", event("create", "Service", {}, {}, { subresource: "proxy" })],
    ["no object at all", event("create", "Service", {}, { objectRef: undefined })],
  ])("%s", (_, item) => {
    expect(decode(item)).toEqual({ ok: true, observations: [], ignored: 1, unusable: [] });
  });

  test("a patch cannot hide itself with the words of a delete's options", () => {
    const item = event("patch", "Service", service(), { requestObject: { dryRun: ["All"] } });
    expect(observed(item)).toMatchObject({ type: "object" });
  });

  test("dryRun as part of another parameter is none", () => {
    expect(
      observed(event("patch", "Service", service(), { requestURI: "/x?fieldManager=dryRun=All&xdryRun=All" })),
    ).toMatchObject({
      type: "object",
    });
    expect(observed(event("patch", "Service", service(), { requestURI: "/dryRun=All" }))).toMatchObject({
      type: "object",
    });
  });
});

describe("what cannot be used", () => {
  test("is told by the event's id and hurts no other", () => {
    const { observations, unusable } = decode(
      event("patch", "Service", service({ name: "../x" }), { auditID: "bad-name" }),
      "no event",
      event("patch", "Service", service(), { auditID: '<img src="x">', responseStatus: "200" }),
      event("patch", "Service", undefined, { level: "Metadata", auditID: "bad-hint" }, { name: 'a"b' }),
      event("patch", "Service", service()),
    );
    expect(observations).toMatchObject([{ type: "object", reference: web }]);
    expect(unusable.map(({ id }) => id)).toEqual([
      "bad-name",
      "event 2 of the list",
      "event 3 of the list",
      "bad-hint",
    ]);
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a review", { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" }],
    ["an older list", { ...eventList(), apiVersion: "audit.k8s.io/v1beta1" }],
    ["items that are none", { ...eventList(), items: {} }],
    ["too many", eventList(...new Array(maxEvents + 1).fill({}))],
  ])("is no list at all: %s", (_, body) => {
    expect(decodeEventList(body, observeSettings)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("no EventList of audit.k8s.io/v1"),
    });
  });
});

describe("several of one object", () => {
  const version = (resourceVersion: string, more: Json = {}) =>
    event("patch", "Service", service({ resourceVersion, ...more }));

  test("the newest is kept, by number and not by text or order", () => {
    for (const versions of [
      ["9", "100", "20"],
      ["100", "20", "9"],
    ]) {
      const { observations } = decode(...versions.map((each) => version(each)));
      expect(observations).toMatchObject([{ type: "object", position: at("100", 0) }]);
    }
  });

  test("an end is kept, and a burial beside it", () => {
    const buried = event("delete", "Service", { ...success, details: { name: "web", uid: "u-1" } });
    const { observations } = decode(event("delete", "Service", service()), version("10"), buried, buried);
    expect(observations).toMatchObject([{ type: "gone", position: at("10", 2) }, { type: "buried" }]);
  });

  test("another uid is another object", () => {
    const { observations } = decode(version("10"), version("12", { uid: "u-2" }));
    expect(observations.map((each) => "uid" in each && each.uid)).toEqual(["u-1", "u-2"]);
  });

  test("the last good shape stays beside the newer bad one", () => {
    const bad = event("patch", "Service", service({ resourceVersion: "11" }, { ports: [{ port: 0 }] }));
    expect(
      decode(bad, version("10"))
        .observations.map(({ type }) => type)
        .sort(),
    ).toEqual(["object", "unusable"]);
  });
});
