/** From `unknown` to a noun, or one sentence that says what to change. */
import * as v from "valibot";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Parses by a schema; the reason names the first fault with its path, e.g. `spec.ports.0.port: …`. Never echoes input. */
export function parseWith<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Parsed<T> {
  const result = v.safeParse(schema, input, { abortPipeEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const [issue] = result.issues;
  const path = issue === undefined ? null : v.getDotPath(issue);
  const message = issue?.message ?? "cannot be read";
  return { ok: false, reason: path === null ? message : `${path}: ${message}` };
}

/** valibot quotes what it received; for values that may be secret or long, only the expectation is told. */
export const told = {
  text: "must be a text",
  number: "must be a number",
  boolean: "must be true or false",
  list: "must be a list",
  /** An object schema reports its missing members, too. */
  object: (issue: v.BaseIssue<unknown>): string => (issue.expected === "Object" ? "must be an object" : "is missing"),
} as const;
