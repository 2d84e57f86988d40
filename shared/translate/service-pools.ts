/** The pools of a Service: one for each of its ports that somebody uses, on the balancers where it is used. */
import type { Pool } from "../model/pool.ts";
import { poolKey } from "../model/resource-key.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
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

export function poolsOf(service: SeenService, uses: readonly Use[]): Resources {
  const resources: Resources = {};
  for (const [balancer, ofBalancer] of Map.groupBy(uses, (use) => use.balancer)) {
    for (const [number, ofPort] of Map.groupBy(ofBalancer, (use) => use.port.port)) {
      put(resources, balancer, poolKey(service.namespace, service.name, number), poolOf(service, number, ofPort));
    }
  }
  return resources;
}

function poolOf(service: SeenService, number: number, uses: readonly Use[]): Pool {
  const port = portsOfPool(service, number)[0];
  return {
    protocol: protocolOf(uses),
    balance: "round-robin",
    alias: poolAlias(service, port === undefined ? number : containerPort(port)),
    ...(isRainbonds(service) ? { fallback: "unready" } : {}),
  };
}

const byAppProtocol: ReadonlyMap<string, Pool["protocol"]> = new Map([
  ["kubernetes.io/h2c", "h2c"],
  ["https", "https"],
  ["grpc", "grpc"],
]);

/** Requests before connections; of both kinds of connections TCP, since UDP can be told from the listener. */
function protocolOf(uses: readonly Use[]): Pool["protocol"] {
  const http = uses.find((use) => use.by === "http");
  if (http !== undefined) return byAppProtocol.get(http.port.appProtocol ?? "") ?? "http";
  return uses.some((use) => use.by === "tcp") ? "tcp" : "udp";
}
