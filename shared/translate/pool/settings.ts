/** What a Pool says of a wish: all of it where requests come, and for connections what they can carry. */
import type { Health } from "../../model/health.ts";
import type { Pool } from "../../model/pool.ts";
import type { Balance } from "./balance.ts";
import type { PoolWish } from "./wish.ts";

type Settings = Omit<Pool, "alias" | "fallback">;

const none: Settings = { protocol: "http", balance: "round-robin" };

export function ofRequests(wish: PoolWish | undefined): Settings {
  if (wish === undefined) return none;
  const { spoken, balance, affinity, slowStart, health } = wish;
  return {
    protocol: spoken.protocol,
    ...balance,
    ...(affinity && { affinity }),
    ...(slowStart && { slowStart }),
    ...(health && { health }),
    ...(spoken.tls && { tls: spoken.tls }),
  };
}

export function ofConnections(wish: PoolWish | undefined, protocol: "tcp" | "udp"): Settings {
  if (wish === undefined) return { ...none, protocol };
  const health = healthOfConnections(wish.health, protocol);
  return {
    protocol,
    ...balanceOfConnections(wish.balance),
    ...(wish.slowStart && { slowStart: wish.slowStart }),
    ...(health && { health }),
    ...(wish.proxyProtocol && protocol === "tcp" && { proxyProtocol: wish.proxyProtocol }),
  };
}

/** Headers and cookies are of requests. */
function balanceOfConnections(balance: Balance): Balance {
  return balance.hash === undefined || balance.hash.by === "source" ? balance : { balance: "round-robin" };
}

/**
 * What takes connections need not speak HTTP: of members that are asked in some way it is enough that they take one.
 * Of UDP nobody knows.
 */
function healthOfConnections(health: Health | undefined, protocol: "tcp" | "udp"): Health | undefined {
  if (health?.active === undefined) return health;
  const { path: _, host: __, statuses: ___, ...active } = health.active;
  const { passive } = health;
  if (protocol === "udp") return passive && { passive };
  return { active: { ...active, type: "tcp" }, ...(passive && { passive }) };
}
