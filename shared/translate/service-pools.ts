/** The pools of a Service: one for each of its ports that somebody uses, on the balancers where it is used. */
import type { Pool } from "../model/pool.ts";
import { poolKey } from "../model/resource-key.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import { ofConnections, ofRequests } from "./pool/settings.ts";
import type { PoolWish, PoolWishes } from "./pool/wish.ts";
import { isRainbonds, poolAlias } from "./rainbond.ts";
import { put, type Resources } from "./resources.ts";
import { containerPort, findPort, portsOfPool } from "./service-port.ts";
import type { ClaimOfUser, TranslationSettings } from "./translation.ts";

/** That a port serves requests (L7) or connections (L4) of a balancer. */
export interface Use {
  readonly balancer: string;
  readonly port: SeenServicePort;
  readonly by: "http" | "tcp" | "udp";
}

/** What others use of it. A claim on a port that does not exist is the claimant's problem. */
export function usesOfOthers(
  service: SeenService,
  claims: readonly ClaimOfUser[],
  settings: TranslationSettings,
): readonly Use[] {
  return claims.flatMap(({ claim }) => {
    if (claim.type !== "pool") return [];
    return claim.uses.flatMap(({ balancer, port: asked }): Use[] => {
      const port = findPort(service, "TCP", asked);
      const known = settings.balancers.some(({ name }) => name === balancer);
      return port !== undefined && known ? [{ balancer, port, by: "http" }] : [];
    });
  });
}

export function poolsOf(service: SeenService, uses: readonly Use[], wishes: PoolWishes): Resources {
  const resources: Resources = {};
  for (const [balancer, ofBalancer] of Map.groupBy(uses, (use) => use.balancer)) {
    for (const [number, ofPort] of Map.groupBy(ofBalancer, (use) => use.port.port)) {
      if (isOfRequests(ofPort) && wishes.get(number)?.isClosed) continue;
      const pool = poolOf(service, number, ofPort, wishes.get(number));
      put(resources, balancer, poolKey(service.namespace, service.name, number), pool);
    }
  }
  return resources;
}

function poolOf(service: SeenService, number: number, uses: readonly Use[], wish: PoolWish | undefined): Pool {
  const port = portsOfPool(service, number)[0];
  const { protocol, balance, ...more } = isOfRequests(uses)
    ? ofRequests(wish)
    : ofConnections(wish, isOfTcp(uses) ? "tcp" : "udp");
  return {
    protocol,
    balance,
    alias: poolAlias(service, port === undefined ? number : containerPort(port)),
    ...(isRainbonds(service) ? { fallback: "unready" } : {}),
    ...more,
  };
}

/**
 * Requests before connections: a listener takes any pool as addresses. Of both kinds of connections TCP, since UDP can
 * be told from the listener.
 */
export function isOfRequests(uses: readonly Use[]): boolean {
  return uses.some((use) => use.by === "http");
}

function isOfTcp(uses: readonly Use[]): boolean {
  return uses.some((use) => use.by === "tcp");
}
