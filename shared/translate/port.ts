/** The contest for a listener's port of one balancer: one object holds it, and it leads to that object's pool. */

import { parsePortNumber } from "../model/port-number.ts";
import type { Reference } from "../model/reference.ts";
import { virtualServiceKey } from "../model/resource-key.ts";
import { put, type Resources } from "./resources.ts";
import { bySeniority } from "./seniority.ts";
import { type ClaimOfUser, type Holding, nothing, type Translation } from "./translation.ts";

/** The holder keeps it while it claims it; then the oldest object gets it. */
export function translatePort(
  reference: Reference,
  claimsOfUsers: readonly ClaimOfUser[],
  holding: Holding | undefined,
): Translation {
  const [protocol, number = ""] = reference.name.split(":");
  const port = parsePortNumber(number);
  if ((protocol !== "tcp" && protocol !== "udp") || !port.ok) return nothing;
  const claims = claimsOfUsers
    .flatMap(({ user, claim }) => (claim.type === "port" ? [{ ...claim, user }] : []))
    .sort(bySeniority);
  const holder = holding?.type === "port" ? holding.by : undefined;
  const winner = claims.find(({ user }) => user === holder) ?? claims[0];
  if (winner === undefined) return nothing;
  const resources: Resources = {};
  put(resources, reference.namespace, virtualServiceKey(protocol, port.value), {
    port: port.value,
    protocol,
    addresses: [],
    pool: winner.pool,
    enabled: true,
  });
  return { resources, problems: [], failed: false, holding: { type: "port", by: winner.user } };
}
