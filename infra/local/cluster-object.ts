/** An object as the API server keeps it: what was sent, and what the server adds. */
import { randomBytes, randomUUID } from "node:crypto";
import { apiResource } from "./api-resource.ts";
import type { Manifest } from "./manifest.ts";

export interface ClusterObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ClusterMetadata;
  readonly [field: string]: unknown;
}

interface ClusterMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly [field: string]: unknown;
}

/** Kinds that have no `metadata.generation`. */
const withoutGeneration = new Set(["Namespace", "Service", "Endpoints", "Secret", "ConfigMap"]);

/** What the reviews of a create see: everything but the resourceVersion. */
export function created(manifest: Manifest): ClusterObject {
  const { metadata, apiVersion, kind, ...rest } = manifest;
  const { namespaced } = apiResource(apiVersion, kind);
  const { resourceVersion: _, uid: __, ...given } = metadata;
  const name = given.name ?? `${given.generateName}${suffix()}`;
  return {
    kind,
    apiVersion,
    metadata: {
      ...given,
      name,
      ...(namespaced ? { namespace: given.namespace ?? "default" } : {}),
      uid: randomUUID(),
      ...(withoutGeneration.has(kind) ? {} : { generation: 1 }),
      creationTimestamp: now(),
    },
    ...defaulted(kind, rest),
  };
}

/** What the reviews of an update see: the new content under the old identity and, still, the old resourceVersion. */
export function updated(old: ClusterObject, manifest: Manifest): ClusterObject {
  const { metadata, apiVersion, kind, ...rest } = manifest;
  const { uid, creationTimestamp, resourceVersion, generation, name, namespace } = old.metadata;
  const content = { ...("status" in old ? { status: old["status"] } : {}), ...defaulted(kind, rest) };
  const identity = { name, ...(namespace === undefined ? {} : { namespace }), uid, creationTimestamp };
  const next = {
    kind,
    apiVersion,
    metadata: { ...metadata, ...identity, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    ...content,
  };
  if (generation === undefined) return next;
  const moved = sameContent(withoutMetadata(next), withoutMetadata(old)) ? generation : generation + 1;
  return { ...next, metadata: { ...next.metadata, generation: moved } };
}

export function versioned(object: ClusterObject, resourceVersion: string): ClusterObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

/** A Namespace on its way out. */
export function deleted(object: ClusterObject): ClusterObject {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: now() }, status: { phase: "Terminating" } };
}

/** A Namespace that nothing holds any more. */
export function finalized(object: ClusterObject): ClusterObject {
  return { ...object, spec: {} };
}

/** Whether two values say the same, whatever the order of their fields. */
export function sameContent(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function withoutMetadata({ metadata: _, ...rest }: ClusterObject): unknown {
  return rest;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, each]) => [k, sorted(each)]),
  );
}

/** The few defaults of the API server that a reader of these objects relies on. */
function defaulted(kind: string, rest: Record<string, unknown>): Record<string, unknown> {
  if (kind === "Namespace") return { ...rest, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
  if (kind === "Secret") return secretDefaults(rest);
  if (kind === "EndpointSlice") return { ...rest, ports: withProtocol(rest["ports"]) };
  const spec = rest["spec"];
  if (kind !== "Service" || !isRecord(spec)) return rest;
  const ports = withProtocol(spec["ports"]);
  const targeted = Array.isArray(ports)
    ? ports.map((port) => (isRecord(port) ? { targetPort: port["port"], ...port } : port))
    : ports;
  return { ...rest, spec: { type: "ClusterIP", sessionAffinity: "None", ...spec, ports: targeted } };
}

/** `stringData` is for people who write: the server keeps it as `data`, where it wins, and never shows it again. */
function secretDefaults({ stringData, data, type = "Opaque", ...rest }: Record<string, unknown>) {
  const written = isRecord(stringData) ? Object.entries(stringData) : [];
  const encoded = written.map(([name, text]) => [name, Buffer.from(String(text)).toString("base64")]);
  const all = { ...(isRecord(data) ? data : {}), ...Object.fromEntries(encoded) };
  return { ...rest, ...(data === undefined && encoded.length === 0 ? {} : { data: all }), type };
}

function withProtocol(ports: unknown): unknown {
  return Array.isArray(ports) ? ports.map((port) => (isRecord(port) ? { protocol: "TCP", ...port } : port)) : ports;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Kubernetes' times have whole seconds. */
function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

/** Five characters, as the API server appends to a generateName. */
function suffix(): string {
  return randomBytes(5).toString("hex").slice(0, 5);
}
