/** IngressClass networking.k8s.io/v1: its controller, and whether it is the default. */
import * as v from "valibot";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import type { SeenIngressClass } from "../model/seen/ingress-class.ts";
import { metadataSchema, seenMetadata } from "./metadata.ts";

const schema = v.object(
  {
    metadata: metadataSchema,
    spec: v.nullish(v.object({ controller: v.nullish(v.string(told.text), "") }, told.object), { controller: "" }),
  },
  told.object,
);

export function trimIngressClass(wire: unknown): Parsed<SeenIngressClass> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata, spec } = parsed.value;
  return {
    ok: true,
    value: {
      kind: "IngressClass",
      ...seenMetadata(metadata),
      namespace: "",
      controller: spec.controller,
      isDefault: metadata.annotations["ingressclass.kubernetes.io/is-default-class"] === "true",
    },
  };
}
