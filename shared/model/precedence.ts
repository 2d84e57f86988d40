/**
 * Which of two rules on one host is asked first: Gateway API's order (HTTPRouteRule: "Matches"): exact path, regular
 * expression, longer prefix, method, more headers, more query parameters, then the older owner, then namespace/name.
 * The same as the node's infra/openresty/lua/model/precedence.lua; a property test holds them together. Lengths are
 * UTF-8's, as the node counts.
 */
import type { PathMatch, Rule } from "./rule.ts";
import { utf8Length } from "./utf8.ts";

export interface RankedRule {
  readonly rule: Pick<Rule, "matches" | "owner">;
  /** The last segment of the rule's key. */
  readonly number: number;
}

/** Negative: a is asked before b. Never zero for two rules of one domain with different keys. */
export function comparePrecedence(a: RankedRule, b: RankedRule): number {
  return (
    pathRank(a.rule.matches.path) - pathRank(b.rule.matches.path) ||
    utf8Length(b.rule.matches.path.value) - utf8Length(a.rule.matches.path.value) ||
    typeOrder[a.rule.matches.path.type] - typeOrder[b.rule.matches.path.type] ||
    Number(b.rule.matches.method !== undefined) - Number(a.rule.matches.method !== undefined) ||
    (b.rule.matches.headers?.length ?? 0) - (a.rule.matches.headers?.length ?? 0) ||
    (b.rule.matches.query?.length ?? 0) - (a.rule.matches.query?.length ?? 0) ||
    compareText(a.rule.owner.created, b.rule.owner.created) ||
    compareText(`${a.rule.owner.namespace}/${a.rule.owner.name}`, `${b.rule.owner.namespace}/${b.rule.owner.name}`) ||
    compareText(a.rule.owner.kind, b.rule.owner.kind) ||
    a.number - b.number
  );
}

const typeOrder = { exact: 0, regex: 1, prefix: 2, start: 3 } as const;

/**
 * Exact paths first, then regular expressions (Gateway API leaves their place open; behind prefixes, `/` would hide
 * them all), then prefixes of both sorts by length.
 */
function pathRank(path: PathMatch): number {
  return path.type === "exact" ? 0 : path.type === "regex" ? 1 : 2;
}

/** Names of Kubernetes objects and timestamps are ASCII, so code units are bytes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
