/** What a kube-apiserver sends to its webhooks, and what it keeps: short, and the same for the same seed. */
import { apiResource } from "../../infra/local/api-resource.ts";
import type { SeenKind } from "../../shared/model/reference.ts";

export interface WireObject {
  readonly kind: SeenKind;
  readonly apiVersion: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export type Operation = "CREATE" | "UPDATE" | "DELETE";

export const apiVersions: Readonly<Record<string, string>> = {
  Namespace: "v1",
  Service: "v1",
  Secret: "v1",
  EndpointSlice: "discovery.k8s.io/v1",
  Ingress: "networking.k8s.io/v1",
  IngressClass: "networking.k8s.io/v1",
};

export function objectKey({
  kind,
  metadata,
}: {
  kind: string;
  metadata: { name: string; namespace?: string };
}): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

export function review(
  id: string,
  operation: Operation,
  object: WireObject | undefined,
  old: WireObject | undefined,
  dryRun: boolean,
): object {
  const named = object ?? old;
  if (named === undefined) throw new Error("a review is of an object");
  const { group, version, resource } = apiResource(named.apiVersion, named.kind);
  const kind = { group, version, kind: named.kind };
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: id,
      kind,
      resource: { group, version, resource },
      name: named.metadata.name,
      ...(named.metadata.namespace === undefined ? {} : { namespace: named.metadata.namespace }),
      operation,
      object: object ?? null,
      oldObject: old ?? null,
      dryRun,
      options: {},
    },
  };
}

/** `whole` false: at level Metadata, so that nothing but the name is told. */
export function auditEvent(id: string, operation: Operation, of: WireObject, answer: object, whole: boolean): object {
  const { group, version, resource } = apiResource(of.apiVersion, of.kind);
  const verb = { CREATE: "create", UPDATE: "update", DELETE: "delete" }[operation];
  return {
    level: whole ? "RequestResponse" : "Metadata",
    auditID: id,
    stage: "ResponseComplete",
    requestURI: `/${resource}?fieldManager=simulation`,
    verb,
    objectRef: {
      resource,
      ...(of.metadata.namespace === undefined ? {} : { namespace: of.metadata.namespace }),
      name: of.metadata.name,
      ...(group === "" ? {} : { apiGroup: group }),
      apiVersion: version,
    },
    responseStatus: { metadata: {}, code: operation === "CREATE" ? 201 : 200 },
    ...(whole ? { responseObject: answer } : {}),
    stageTimestamp: "2026-11-22T10:00:00.500000Z",
  };
}

export function eventList(items: readonly object[]): object {
  return { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items };
}

/** What a delete answers with where its type does not return the object. */
export function deletedStatus({ kind, metadata }: WireObject): object {
  const details = { name: metadata.name, kind: kind.toLowerCase(), uid: metadata.uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}
