/** The bodies that a kube-apiserver sends to its webhooks (admission.k8s.io/v1, audit.k8s.io/v1). */
import { randomUUID } from "node:crypto";
import { type ApiResource, resourcePath } from "./api-resource.ts";
import type { ClusterObject } from "./cluster-object.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** One write to the API, as it looks from outside. */
export interface Write {
  readonly operation: Operation;
  readonly resource: ApiResource;
  readonly name: string;
  readonly namespace: string;
  readonly dryRun: boolean;
}

const user = { username: "admin", uid: "admin", groups: ["system:masters", "system:authenticated"] };

const options = {
  CREATE: {
    kind: "CreateOptions",
    apiVersion: "meta.k8s.io/v1",
    fieldManager: "entrance-apply",
    fieldValidation: "Strict",
  },
  UPDATE: {
    kind: "UpdateOptions",
    apiVersion: "meta.k8s.io/v1",
    fieldManager: "entrance-apply",
    fieldValidation: "Strict",
  },
  DELETE: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", propagationPolicy: "Background" },
} as const satisfies Record<Operation, object>;

export function admissionReview(write: Write, object: ClusterObject | null, oldObject: ClusterObject | null): object {
  const { group, version, kind, resource } = write.resource;
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: randomUUID(),
      kind: { group, version, kind },
      resource: { group, version, resource },
      requestKind: { group, version, kind },
      requestResource: { group, version, resource },
      name: write.name,
      ...(write.namespace === "" ? {} : { namespace: write.namespace }),
      operation: write.operation,
      userInfo: user,
      object,
      oldObject,
      dryRun: write.dryRun,
      options: write.dryRun ? { ...options[write.operation], dryRun: ["All"] } : options[write.operation],
    },
  };
}

export interface Answer {
  readonly code: 200 | 201;
  readonly verb: "create" | "update" | "delete";
  readonly subresource?: string;
  readonly requestObject: object;
  readonly responseObject: object;
}

export function auditEvents(write: Write, answer: Answer): object {
  const { group, version, kind, resource } = write.resource;
  const path = resourcePath(write.resource, write.namespace, answer.verb === "create" ? "" : write.name);
  const now = new Date().toISOString().replace("Z", "000Z"); // microseconds
  // As the audit policy has it: of a Secret only who did what.
  const isSecret = kind === "Secret" && group === "";
  return {
    kind: "EventList",
    apiVersion: "audit.k8s.io/v1",
    metadata: {},
    items: [
      {
        level: isSecret ? "Metadata" : "RequestResponse",
        auditID: randomUUID(),
        stage: "ResponseComplete",
        requestURI: `${path}${answer.subresource === undefined ? "" : `/${answer.subresource}`}?${write.dryRun ? "dryRun=All&" : ""}fieldManager=entrance-apply`,
        verb: answer.verb,
        user,
        sourceIPs: ["127.0.0.1"],
        userAgent: "entrance-apply",
        objectRef: {
          resource,
          ...(write.namespace === "" ? {} : { namespace: write.namespace }),
          name: write.name,
          ...(group === "" ? {} : { apiGroup: group }),
          apiVersion: version,
          ...(answer.subresource === undefined ? {} : { subresource: answer.subresource }),
        },
        responseStatus: responseStatus(answer),
        ...(isSecret ? {} : { requestObject: answer.requestObject, responseObject: answer.responseObject }),
        requestReceivedTimestamp: now,
        stageTimestamp: now,
        annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
      },
    ],
  };
}

/** What a delete answers with when its type does not return the object. */
export function deletedStatus({ resource, name }: Write, uid: string): object {
  const details = { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.resource, uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

export const deleteOptions = {
  kind: "DeleteOptions",
  apiVersion: "meta.k8s.io/__internal",
  propagationPolicy: "Background",
};

function responseStatus({ responseObject, code }: Answer): object {
  if ("status" in responseObject && "details" in responseObject) {
    return { metadata: {}, status: responseObject.status, details: responseObject.details, code };
  }
  return { metadata: {}, code };
}
