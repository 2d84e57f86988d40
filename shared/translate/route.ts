/** L7 routes that an object asks for, and what becomes of them once it is known who holds their hosts. */
import type { Filter } from "../model/filter/filter.ts";
import { domainReference } from "../model/reference.ts";
import { ruleKey } from "../model/resource-key.ts";
import type { PathMatch, Rule, Scheme } from "../model/rule.ts";
import type { SeenObject } from "../model/seen/object.ts";
import type { Answers } from "./answers.ts";
import { refusal } from "./problem.ts";
import type { Problem, Read } from "./translation.ts";
import { pathFilters } from "./wish/path.ts";
import type { Wish } from "./wish/wish.ts";

export interface Route<Backend> {
  /** As model/host.ts has it: lower-case, `*.name`, or `*` for every host. */
  readonly host: string;
  readonly scheme: Scheme;
  readonly path: PathMatch;
  /** Keys of Certificate resources. */
  readonly certificates: readonly string[];
  readonly backend: Backend;
}

/** A host whose TLS connections go to a pool as they are, if there is one. */
interface Passthrough {
  readonly host: string;
  readonly pool: string | undefined;
}

export interface Claimant {
  readonly tenant: string;
  readonly created: string;
  readonly balancer: string;
}

/** One claim for each host, with the certificates of all its routes, and the pool that it is passed through to. */
export function domainReads(
  routes: readonly Route<unknown>[],
  claimant: Claimant,
  passthroughs: readonly Passthrough[] = [],
): Read[] {
  return [...Map.groupBy([...routes, ...passthroughs], ({ host }) => host)].map(([host, ofHost]) => {
    const passthrough = ofHost.find((each) => "pool" in each)?.pool;
    return {
      reference: domainReference(host),
      claim: {
        type: "domain",
        tenant: claimant.tenant,
        created: claimant.created,
        reserved: false,
        balancers: [claimant.balancer],
        certificates: [...new Set(ofHost.flatMap((each) => ("certificates" in each ? each.certificates : [])))].sort(),
        ...(passthrough === undefined ? {} : { passthrough }),
      },
    };
  });
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

/** Keys of the pools of a wish's mirror and canary, as far as they exist. */
export interface SharePools {
  readonly mirror?: string | undefined;
  readonly canary?: string | undefined;
}

/**
 * The Rule of each route by its key, numbered by domain in the order of the routes. Without a pool the route is known
 * and has no backend (yet).
 */
export function rulesOf(
  owner: SeenObject,
  tenant: string,
  routes: readonly (Route<unknown> & { readonly pool: string | undefined })[],
  wish: Wish,
  shares: SharePools,
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
      matches: { path, ...wish.matches },
      filters: [...wish.filters, ...pathFilters(wish.path, path), ...mirrorFilters(wish, shares.mirror)],
      ...(wish.timeouts === undefined ? {} : { timeouts: wish.timeouts }),
      ...(wish.retry === undefined ? {} : { retry: wish.retry }),
      pools: wish.isClosed ? [] : weightedPools(pool, shares.canary, wish.canary?.percent ?? 0),
    };
    return [ruleKey(host, rule.owner, number), rule];
  });
}

function mirrorFilters({ mirror, isClosed }: Wish, pool: string | undefined): Filter[] {
  if (mirror === undefined || pool === undefined || isClosed) return [];
  const percent = mirror.percent === undefined ? {} : { percent: mirror.percent };
  return [{ type: "RequestMirror", requestMirror: { pool, ...percent } }];
}

function weightedPools(pool: string | undefined, canary: string | undefined, percent: number): Rule["pools"] {
  if (pool === undefined) return [];
  if (canary === undefined) return [{ pool, weight: 1 }];
  return [
    { pool, weight: 100 - percent },
    { pool: canary, weight: percent },
  ];
}
