import { describe, expect, test } from "vitest";
import { decodeReview } from "../../shared/observe/review.ts";
import type { ReviewSubject } from "../../shared/observe/review-subject.ts";
import { ingress, type Json, namespace, observeSettings, review, service, slice } from "./wire.ts";

const web = { kind: "Service", namespace: "shop", name: "web" };

function decode(operation: string, kind: string, request: Json) {
  const decoded = decodeReview(review(operation, kind, request), observeSettings);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded;
}

function subject(operation: string, kind: string, request: Json): ReviewSubject {
  return decode(operation, kind, request).subject;
}

const hint = (reference: Json = web) => ({ type: "hint", observation: { type: "hint", reference } });
const gone = (resourceVersion: string, reference: Json = web) => ({
  type: "observed",
  observation: { type: "gone", reference, uid: "u-1", position: { resourceVersion, step: 2 } },
});

describe("positions", () => {
  test("a create is at (0, 1): it has no resourceVersion yet", () => {
    const { reference, subject } = decode("CREATE", "Service", { object: service({ resourceVersion: undefined }) });
    expect(reference).toEqual(web);
    expect(subject).toMatchObject({ observation: { type: "object", position: { resourceVersion: "0", step: 1 } } });
  });

  test("an update is one step after the old object", () => {
    expect(
      subject("UPDATE", "Service", { object: service(), oldObject: service({ resourceVersion: "0009" }) }),
    ).toMatchObject({ observation: { type: "object", uid: "u-1", position: { resourceVersion: "9", step: 1 } } });
  });

  test("a delete is two steps after the old object", () => {
    expect(subject("DELETE", "Service", { oldObject: service() })).toEqual(gone("10"));
  });
});

describe("deletes", () => {
  test.each([
    ["finalizers hold it", service({ finalizers: ["example.com/keep"] }), {}],
    ["its dependents go first", service(), { options: { propagationPolicy: "Foreground" } }],
    ["its dependents are let go first", service(), { options: { propagationPolicy: "Orphan" } }],
    ["the same, in the old way", service(), { options: { orphanDependents: true } }],
    ["the old object has no position", service({ resourceVersion: "" }), {}],
  ])("only a hint when %s", (_, oldObject, request) => {
    expect(subject("DELETE", "Service", { oldObject, ...request })).toEqual(hint());
  });

  test("a namespace is held by its spec until it is empty", () => {
    const reference = { kind: "Namespace", namespace: "", name: "shop" };
    expect(subject("DELETE", "Namespace", { oldObject: namespace() })).toEqual(hint(reference));
    expect(subject("DELETE", "Namespace", { oldObject: namespace({}, []) })).toEqual(gone("10", reference));
  });

  test("a deletecollection names the object in oldObject alone", () => {
    expect(subject("DELETE", "Service", { name: undefined, oldObject: service() })).toEqual(gone("10"));
  });

  test("without the old object only the name is known", () => {
    expect(subject("DELETE", "Service", {})).toEqual(hint());
  });

  test("Background is the same as nothing", () => {
    expect(
      subject("DELETE", "Service", { oldObject: service(), options: { propagationPolicy: "Background" } }),
    ).toEqual(gone("10"));
  });
});

describe("updates that end an object", () => {
  const deletionTimestamp = "2026-11-22T10:30:00Z";

  test("the last finalizer goes", () => {
    const oldObject = service({ deletionTimestamp, finalizers: ["example.com/keep"] });
    for (const subResource of ["", "status"]) {
      expect(subject("UPDATE", "Service", { subResource, object: service({ deletionTimestamp }), oldObject })).toEqual(
        gone("10"),
      );
    }
  });

  test("a namespace is finalized", () => {
    const reference = { kind: "Namespace", namespace: "", name: "shop" };
    const request = {
      subResource: "finalize",
      object: namespace({ deletionTimestamp }, []),
      oldObject: namespace({ deletionTimestamp }),
    };
    expect(subject("UPDATE", "Namespace", request)).toEqual(gone("10", reference));
  });

  test("one finalizer of two goes: nobody may be refused to go on with a deletion", () => {
    const object = service({ deletionTimestamp, finalizers: ["b"] }, { ports: "broken" });
    expect(subject("UPDATE", "Service", { object, oldObject: service({ finalizers: ["a", "b"] }) })).toEqual(hint());
  });
});

describe("parts of an object", () => {
  test("a write of the status is never judged: whoever writes it cannot mend the object", () => {
    const request = { subResource: "status", object: service({}, { ports: "broken" }), oldObject: service() };
    expect(subject("UPDATE", "Service", request)).toEqual(hint());
  });

  test("a request through the proxy says nothing", () => {
    expect(subject("CONNECT", "Service", { subResource: "proxy", object: {} })).toEqual({ type: "irrelevant" });
    expect(subject("CREATE", "Service", { subResource: "proxy", object: {} })).toEqual({ type: "irrelevant" });
  });

  test("a part that a later Kubernetes may have is a hint", () => {
    expect(subject("UPDATE", "Service", { subResource: "novelty", object: {} })).toEqual(hint());
  });
});

describe("what is not kept", () => {
  test.each(["Pod", "Secret", "ConfigMap", "HTTPRoute", "Endpoints"])("%s", (kind) => {
    const object = { data: { "tls.key": "s3cr3t" }, metadata: { name: "x" } };
    const decoded = decode("CREATE", kind, { object });
    expect(decoded).toEqual({
      ok: true,
      uid: "r-1",
      operation: "CREATE",
      dryRun: false,
      subject: { type: "irrelevant" },
    });
  });

  test("an Ingress of another group", () => {
    const kind = { group: "extensions", version: "v1beta1", kind: "Ingress" };
    expect(subject("CREATE", "Ingress", { kind, object: ingress() })).toEqual({ type: "irrelevant" });
  });

  test("an old version of a kind that is kept is a hint", () => {
    const kind = { group: "networking.k8s.io", version: "v1beta1", kind: "Ingress" };
    expect(subject("CREATE", "Ingress", { kind, object: {} })).toEqual(hint({ ...web, kind: "Ingress" }));
  });
});

describe("unusable", () => {
  test.each<[string, string, Json, RegExp]>([
    ["a port of 99999", "Service", service({}, { ports: [{ port: 99999 }] }), /spec\.ports\.0\.port: .*1 to 65535/],
    [
      "a host with a space",
      "Ingress",
      ingress({ rules: [{ host: "a b.example" }] }),
      /spec\.rules\.0\.host: must be a host name/,
    ],
    ["a name with quotes", "Service", service({ name: 'a"b' }), /metadata\.name: .*RFC 1123/],
    ["a name that climbs", "Ingress", ingress({}, { name: "../x" }), /metadata\.name: .*RFC 1123/],
    ["a name with a newline", "Service", service({ name: "a\n" }), /metadata\.name: .*RFC 1123/],
    ["a namespace with a space", "Service", service({ namespace: "a b" }), /metadata\.namespace/],
    ["no namespace", "Service", service({ namespace: undefined }), /metadata\.namespace: is missing/],
    ["no metadata", "Service", { spec: {} }, /metadata: is missing/],
    ["no uid", "Service", service({ uid: undefined }), /metadata\.uid: is missing/],
    ["no age", "Service", service({ creationTimestamp: null }), /creationTimestamp/],
    ["a tenant with a space", "Service", service({ labels: { tenant_name: "a b" } }), /tenant_name/],
    ["no object", "Service", {}, /metadata: is missing/],
    ["an address that is none", "EndpointSlice", slice({ endpoints: [{ addresses: ["x"] }] }), /IPv4 or IPv6/],
    ["a resourceVersion with letters", "Service", service({ resourceVersion: "1e9" }), /resourceVersion: .*decimal/],
  ])("%s", (_, kind, object, reason) => {
    const found = subject("CREATE", kind, { object });
    expect(found.type).toBe("unusable");
    expect("reason" in found && found.reason).toMatch(reason);
  });

  test("an object that no store could keep", () => {
    const annotations = { "entrance.dev/http": "x".repeat(300_000) };
    expect(subject("CREATE", "Service", { object: service({ annotations }) })).toMatchObject({
      type: "unusable",
      reason: expect.stringContaining("split it"),
    });
  });
});

describe("dry runs", () => {
  test("the request says so, or its options do", () => {
    expect(decode("CREATE", "Service", { object: service(), dryRun: true }).dryRun).toBe(true);
    expect(decode("DELETE", "Service", { oldObject: service(), options: { dryRun: ["All"] } }).dryRun).toBe(true);
    expect(decode("CREATE", "Service", { object: service(), dryRun: undefined }).dryRun).toBe(false);
  });
});

describe("no AdmissionReview", () => {
  const good = review("CREATE", "Service", { object: service() });
  test.each<[string, unknown]>([
    ["null", null],
    ["a list", []],
    ["a text", "AdmissionReview"],
    ["another kind", { ...good, kind: "EventList" }],
    ["another version", { ...good, apiVersion: "admission.k8s.io/v1beta1" }],
    ["no request", { ...good, request: undefined }],
    ["no uid", review("CREATE", "Service", { uid: "" })],
    ["no kind", review("CREATE", "Service", { kind: undefined })],
    ["an operation that there is not", review("PATCH", "Service", {})],
  ])("%s", (_, body) => {
    expect(decodeReview(body, observeSettings)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("no AdmissionReview of admission.k8s.io/v1"),
    });
  });
});
