/** Namespace v1: whose it is, and the host names that it reserves. */
import * as v from "valibot";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import type { SeenNamespace } from "../model/seen/namespace.ts";
import { keptLabels, metadataSchema, ourAnnotations, seenMetadata } from "./metadata.ts";
import type { ObserveSettings } from "./settings.ts";

const schema = v.object({ metadata: metadataSchema }, told.object);

export function trimNamespace(wire: unknown, settings: ObserveSettings): Parsed<SeenNamespace> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata } = parsed.value;
  return {
    ok: true,
    value: {
      kind: "Namespace",
      ...seenMetadata(metadata),
      namespace: "",
      labels: keptLabels(metadata, ["tenant_name"]),
      annotations: ourAnnotations(metadata, settings.prefix),
    },
  };
}
