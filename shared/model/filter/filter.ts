/** What a Rule does beside choosing a pool: Gateway API's filters by their names and shapes, and ours beside them. */
import * as v from "valibot";
import { basicAuthSchema } from "./basic-auth.ts";
import { bodyLimitSchema } from "./body-limit.ts";
import { corsSchema } from "./cors.ts";
import { gzipSchema } from "./gzip.ts";
import { requestHeaderModifierSchema, responseHeaderModifierSchema } from "./header-modifier.ts";
import { hstsSchema } from "./hsts.ts";
import { rateLimitSchema } from "./rate-limit.ts";
import { requestMirrorSchema } from "./request-mirror.ts";
import { requestRedirectSchema } from "./request-redirect.ts";
import { sourceRangesSchema } from "./source-ranges.ts";
import { urlRewriteSchema } from "./url-rewrite.ts";

const filterSchema = v.variant("type", [
  basicAuthSchema,
  bodyLimitSchema,
  corsSchema,
  gzipSchema,
  hstsSchema,
  rateLimitSchema,
  requestHeaderModifierSchema,
  requestMirrorSchema,
  requestRedirectSchema,
  responseHeaderModifierSchema,
  sourceRangesSchema,
  urlRewriteSchema,
]);

/** Gateway API: at most 16 a rule; of each type one. */
export const filters = v.pipe(
  v.array(filterSchema),
  v.maxLength(16),
  v.check((list) => new Set(list.map(({ type }) => type)).size === list.length, "a filter of one type is there twice"),
  v.check(
    (list) => !["RequestRedirect", "URLRewrite"].every((type) => list.some((filter) => filter.type === type)),
    "RequestRedirect and URLRewrite exclude each other",
  ),
);

/** Of a single pool of several. */
export const poolFilters = v.pipe(
  v.array(v.variant("type", [requestHeaderModifierSchema, responseHeaderModifierSchema])),
  v.maxLength(2),
  v.check((list) => new Set(list.map(({ type }) => type)).size === list.length, "a filter of one type is there twice"),
);

export type Filter = v.InferOutput<typeof filterSchema>;
