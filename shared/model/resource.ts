/** A resource of any kind, parsed by the kind that its key names. */
import type * as v from "valibot";
import { certificateSchema } from "./certificate.ts";
import { domainSchema } from "./domain.ts";
import { nodeSchema } from "./node.ts";
import { type Parsed, parseWith } from "./parse.ts";
import { poolSchema } from "./pool.ts";
import { parseResourceKey, type ResourceKind } from "./resource-key.ts";
import { ruleSchema } from "./rule.ts";
import { virtualServiceSchema } from "./virtual-service.ts";

const schemas: Readonly<Record<ResourceKind, v.GenericSchema<unknown, unknown>>> = {
  Pool: poolSchema,
  Node: nodeSchema,
  Domain: domainSchema,
  VirtualService: virtualServiceSchema,
  Rule: ruleSchema,
  Certificate: certificateSchema,
};

/** Checks that a value is one of the kind that its key names; the parsed value, or what to change. */
export function parseResource(key: string, value: unknown): Parsed<unknown> {
  const parsed = parseResourceKey(key);
  if (parsed === undefined) return { ok: false, reason: "not the key of a resource" };
  return parseWith(schemas[parsed.kind], value);
}
