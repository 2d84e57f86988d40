/** L7: which requests go where. */
import * as v from "valibot";
import { filters, poolFilters } from "./filter/filter.ts";
import { retrySchema, timeoutsSchema } from "./retry.ts";

export const schemes = ["http", "https", "httptohttps", "httpandhttps"] as const;
export type Scheme = (typeof schemes)[number];

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253));

/** Longer than what servers take as a request line's path (nginx: 8 KB with everything else of that line). */
export const maxPathLength = 4_096;

/** As on the node, which also bounds the steps that one may take. */
export const maxRegexLength = 512;

export const pathMatchSchema = v.object({
  /**
   * `prefix` goes by path element (Gateway API PathPrefix), `start` by characters (nginx's own prefix); `regex` matches
   * from the path's beginning on.
   */
  type: v.picklist(["exact", "prefix", "start", "regex"]),
  value: v.pipe(v.string(), v.minLength(1), v.maxLength(maxPathLength)),
});

/** `regex` matches the whole value. */
const valueMatchSchema = v.object({
  type: v.picklist(["exact", "regex"]),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  value: v.pipe(v.string(), v.maxLength(4_096)),
});

/** Gateway API allows 16 header matches and 16 query parameter matches. */
const valueMatches = v.pipe(v.array(valueMatchSchema), v.maxLength(16));

export const matchesSchema = v.object({
  path: pathMatchSchema,
  method: v.optional(v.pipe(v.string(), v.regex(/^[A-Z]{1,32}$/))),
  headers: v.optional(valueMatches),
  query: v.optional(valueMatches),
});

const weightedPoolSchema = v.object({
  pool: v.pipe(v.string(), v.startsWith("Pool/")),
  weight: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)),
  filters: v.optional(poolFilters),
});

export const ownerSchema = v.object({
  kind: name,
  namespace: v.string(),
  name,
  /** RFC 3339 in UTC, as Kubernetes writes creationTimestamp; decides who was first. */
  created: v.string(),
});

export const ruleSchema = v.object({
  domain: name,
  scheme: v.picklist(schemes),
  owner: ownerSchema,
  tenant: name,
  /** Names of VirtualServices; none means the node's own `http` and `https`. */
  listeners: v.pipe(v.array(v.string()), v.maxLength(64)),
  matches: matchesSchema,
  filters,
  timeouts: v.optional(timeoutsSchema),
  retry: v.optional(retrySchema),
  /** Empty: the route is known and has no backend (yet): 503. Gateway API: at most 16. */
  pools: v.pipe(v.array(weightedPoolSchema), v.maxLength(16)),
});

export type PathMatch = v.InferOutput<typeof pathMatchSchema>;
export type Matches = v.InferOutput<typeof matchesSchema>;
export type OwnerReference = v.InferOutput<typeof ownerSchema>;
export type Rule = v.InferOutput<typeof ruleSchema>;
