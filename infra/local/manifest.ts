/** Kubernetes YAML: several documents in a file, Lists taken apart, each object checked as far as sending it needs. */
import * as v from "valibot";
import { parseAllDocuments } from "yaml";

const maxBytes = 8 * 1024 * 1024;
const maxObjects = 10_000;

const Metadata = v.looseObject({
  name: v.optional(v.string()),
  generateName: v.optional(v.string()),
  namespace: v.optional(v.string()),
});
const Manifest = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: Metadata,
});
const List = v.looseObject({ items: v.array(v.unknown()) });

export type Manifest = v.InferOutput<typeof Manifest>;

export type Manifests =
  | { readonly ok: true; readonly manifests: Manifest[] }
  | { readonly ok: false; readonly reason: string };

export function parseManifests(text: string): Manifests {
  if (text.length > maxBytes) return refuse(`has more than ${maxBytes / 1024 / 1024} MiB`);
  const manifests: Manifest[] = [];
  const documents = parseAllDocuments(text);
  for (const [index, document] of (Array.isArray(documents) ? documents : []).entries()) {
    const where = `document ${index + 1}`;
    const [fault] = document.errors;
    if (fault !== undefined) return refuse(`${where} is not YAML: ${fault.message}`);
    const read = objectsOf(document.toJS({ maxAliasCount: 100 }), where);
    if (!read.ok) return read;
    manifests.push(...read.manifests);
    if (manifests.length > maxObjects) return refuse(`has more than ${maxObjects} objects`);
  }
  return { ok: true, manifests };
}

function objectsOf(value: unknown, where: string): Manifests {
  if (value === null || value === undefined) return { ok: true, manifests: [] }; // nothing between two `---`
  const list = v.safeParse(List, value);
  const parsed = v.safeParse(Manifest, list.success ? { metadata: {}, ...(value as object) } : value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const field = v.getDotPath(issue) ?? "it";
    const fault = issue.received === "undefined" ? `${field} is missing` : `${field} must be ${issue.expected}`;
    return refuse(`${where} is no Kubernetes object: ${fault}`);
  }
  if (list.success && parsed.output.kind.endsWith("List")) {
    const manifests: Manifest[] = [];
    for (const [index, item] of list.output.items.entries()) {
      const read = objectsOf(item, `${where}, item ${index + 1}`);
      if (!read.ok) return read;
      manifests.push(...read.manifests);
    }
    return { ok: true, manifests };
  }
  const { name, generateName } = parsed.output.metadata;
  if (!name && !generateName) return refuse(`${where}: metadata.name is missing`);
  return { ok: true, manifests: [parsed.output] };
}

function refuse(reason: string): Manifests {
  return { ok: false, reason };
}
