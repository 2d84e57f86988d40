/** L7 routes that an object asks for, and what becomes of them once it is known who holds their hosts. */
import { domainReference } from "../model/reference.ts";
import { ruleKey } from "../model/resource-key.ts";
import type { PathMatch, Rule, Scheme } from "../model/rule.ts";
import type { SeenObject } from "../model/seen/object.ts";
import type { Answers } from "./answers.ts";
import { refusal } from "./problem.ts";
import type { Problem, Read } from "./translation.ts";

export interface Route<Backend> {
  /** As model/host.ts has it: lower-case, `*.name`, or `*` for every host. */
  readonly host: string;
  readonly scheme: Scheme;
  readonly path: PathMatch;
  /** Keys of Certificate resources. */
  readonly certificates: readonly string[];
  readonly backend: Backend;
}

export interface Claimant {
  readonly tenant: string;
  readonly created: string;
  readonly balancer: string;
}

/** One claim for each host, with the certificates of all its routes. */
export function domainReads(routes: readonly Route<unknown>[], claimant: Claimant): Read[] {
  return [...Map.groupBy(routes, (route) => route.host)].map(([host, ofHost]) => ({
    reference: domainReference(host),
    claim: {
      type: "domain",
      tenant: claimant.tenant,
      created: claimant.created,
      reserved: false,
      balancers: [claimant.balancer],
      certificates: [...new Set(ofHost.flatMap((route) => route.certificates))].sort(),
    },
  }));
}

/**
 * The routes whose host the tenant holds, or nobody does yet, and a refusal for each other host. Who else holds it is
 * nobody's business.
 */
export function granted<Wish extends { readonly host: string }>(
  routes: readonly Wish[],
  tenant: string,
  answers: Answers,
): { routes: readonly Wish[]; problems: readonly Problem[] } {
  const isHeldByOther = (host: string) => {
    const holding = answers.of(domainReference(host))?.holding;
    return holding?.type === "domain" && holding.tenant !== tenant;
  };
  const lost = new Set(routes.map(({ host }) => host).filter(isHeldByOther));
  return { routes: routes.filter(({ host }) => !lost.has(host)), problems: [...lost].map(hostTaken) };
}

function hostTaken(host: string): Problem {
  const what = host === "*" ? "every other host (*)" : host;
  return refusal(`${what} is held by another tenant; choose another host, or have it given up there first`);
}

/** A path by elements; `/shop/` and `/shop` are the same (Ingress: trailing slashes are ignored). */
export function prefixPath(path: string): PathMatch {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end -= 1;
  return { type: "prefix", value: path.slice(0, end) || "/" };
}

/**
 * The Rule of each route by its key, numbered by domain in the order of the routes. Without a pool the route is known
 * and has no backend (yet).
 */
export function rulesOf(
  owner: SeenObject,
  tenant: string,
  routes: readonly (Route<unknown> & { readonly pool: string | undefined })[],
): [string, Rule][] {
  const { kind, namespace, name, created } = owner;
  const numbers = new Map<string, number>();
  return routes.map(({ host, scheme, path, pool }) => {
    const number = numbers.get(host) ?? 0;
    numbers.set(host, number + 1);
    const rule: Rule = {
      domain: host,
      scheme,
      owner: { kind, namespace, name, created },
      tenant,
      listeners: [],
      matches: { path },
      filters: [],
      pools: pool === undefined ? [] : [{ pool, weight: 1 }],
    };
    return [ruleKey(host, rule.owner, number), rule];
  });
}
