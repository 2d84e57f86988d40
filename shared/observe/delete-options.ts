/** meta.k8s.io/v1 DeleteOptions, of which only this matters: whether the object stays, and whether all was for show. */
import * as v from "valibot";

const schema = v.object({
  propagationPolicy: v.nullish(v.string(), ""),
  orphanDependents: v.nullish(v.boolean(), false),
  dryRun: v.nullish(v.array(v.unknown()), []),
});

export interface DeleteOptions {
  /** A finalizer is put on it first (Foreground: until its dependents are gone; Orphan: until they are let go). */
  readonly keeps: boolean;
  readonly dryRun: boolean;
}

/** Anything that is no DeleteOptions says nothing. */
export function readDeleteOptions(wire: unknown): DeleteOptions {
  const parsed = v.safeParse(schema, wire);
  if (!parsed.success) return { keeps: false, dryRun: false };
  const { propagationPolicy, orphanDependents, dryRun } = parsed.output;
  return { keeps: keepingPolicy(propagationPolicy) || orphanDependents, dryRun: dryRun.length > 0 };
}

export function keepingPolicy(propagationPolicy: string): boolean {
  return propagationPolicy === "Foreground" || propagationPolicy === "Orphan";
}
