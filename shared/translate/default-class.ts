/** The contest for being the class of Ingresses that name none. It puts nothing on a balancer. */
import { bySeniority } from "./seniority.ts";
import { type ClaimOfUser, type Holding, nothing, type Translation } from "./translation.ts";

/** The holder keeps it while it claims it; of several new ones the oldest gets it. */
export function translateDefaultClass(
  claimsOfUsers: readonly ClaimOfUser[],
  holding: Holding | undefined,
): Translation {
  const claims = claimsOfUsers
    .flatMap(({ user, claim }) => (claim.type === "class" ? [{ ...claim, user }] : []))
    .sort(bySeniority);
  const holder = holding?.type === "class" ? holding.by : undefined;
  const winner = claims.find(({ user }) => user === holder) ?? claims[0];
  if (winner === undefined) return nothing;
  return { ...nothing, holding: { type: "class", balancer: winner.balancer, by: winner.user } };
}
