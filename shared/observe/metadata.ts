/** The metadata that trimmed objects keep. managedFields, last-applied-configuration and the like are dropped here. */
import * as v from "valibot";
import { told } from "../model/parse.ts";
import type { SeenMetadata } from "../model/seen/metadata.ts";

const texts = v.record(v.string(), v.string(told.text), told.object);

/** The tenant becomes part of names. What else a label says is for translation to judge. */
const tenant = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const labels = v.pipe(
  texts,
  v.check(
    (all) => tenant.test(all["tenant_name"] ?? ""),
    "tenant_name must consist of at most 63 letters, digits and inner hyphens, dots and underscores",
  ),
);

export const metadataSchema = v.object(
  {
    name: v.string(told.text),
    namespace: v.nullish(v.string(told.text), ""),
    /** Ages are compared as text, so it must be in the apiserver's one form. */
    creationTimestamp: v.pipe(
      v.string(told.text),
      v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, "must be a time in UTC such as 2026-01-31T12:00:00Z"),
    ),
    labels: v.nullish(labels, {}),
    annotations: v.nullish(texts, {}),
  },
  told.object,
);

type Metadata = v.InferOutput<typeof metadataSchema>;

export function seenMetadata(metadata: Metadata): SeenMetadata {
  return { name: metadata.name, namespace: metadata.namespace, created: metadata.creationTimestamp };
}

/** The labels of these names, as far as they are there. */
export function keptLabels(metadata: Metadata, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = metadata.labels[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** The annotations below our prefix, named without it. */
export function ourAnnotations(metadata: Metadata, prefix: string): Record<string, string> {
  const start = `${prefix}/`;
  return Object.fromEntries(
    Object.entries(metadata.annotations).flatMap(([name, value]) =>
      name.startsWith(start) ? [[name.slice(start.length), value]] : [],
    ),
  );
}
