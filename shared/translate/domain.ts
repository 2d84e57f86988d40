/** The contest for a host name: which tenant holds it, and with which certificates. */
import { maxCertificatesOfDomain } from "../model/domain.ts";
import { domainKey } from "../model/resource-key.ts";
import { remark } from "./problem.ts";
import { put, type Resources } from "./resources.ts";
import { bySeniority } from "./seniority.ts";
import { type ClaimOfUser, type Holding, nothing, type Problem, type Translation } from "./translation.ts";

/**
 * The holder keeps it while any claim of its is left; then reservations come first, then the oldest object. The
 * Domain is on each balancer where an object of the holder routes it; a reservation alone puts it on none. Of several
 * objects that pass it through on one balancer, the same: who does so already, then the oldest.
 */
export function translateDomain(
  host: string,
  claimsOfUsers: readonly ClaimOfUser[],
  holding: Holding | undefined,
): Translation {
  const claims = claimsOfUsers
    .flatMap(({ user, claim }) => (claim.type === "domain" ? [{ ...claim, user }] : []))
    .sort((a, b) => Number(b.reserved) - Number(a.reserved) || bySeniority(a, b));
  const before = holding?.type === "domain" ? holding : undefined;
  const tenant = claims.find((claim) => claim.tenant === before?.tenant)?.tenant ?? claims[0]?.tenant;
  if (tenant === undefined) return nothing;

  const resources: Resources = {};
  const passthroughs: Record<string, string> = {};
  const problems: Problem[] = [];
  const own = claims.filter((claim) => claim.tenant === tenant);
  for (const balancer of new Set(own.flatMap((claim) => claim.balancers))) {
    const ofBalancer = own.filter((claim) => claim.balancers.includes(balancer));
    const certificates = [...new Set(ofBalancer.flatMap((claim) => claim.certificates))].sort();
    if (certificates.length > maxCertificatesOfDomain) {
      problems.push(remark(`${host} has more than ${maxCertificatesOfDomain} certificates: only the first are used`));
    }
    const passing = ofBalancer.filter(({ passthrough }) => passthrough !== undefined);
    const passed = passing.find(({ user }) => user === before?.passthroughs?.[balancer]) ?? passing[0];
    if (passed !== undefined) passthroughs[balancer] = passed.user;
    put(resources, balancer, domainKey(host), {
      tenant,
      certificates: certificates.slice(0, maxCertificatesOfDomain),
      ...(passed?.passthrough === undefined ? {} : { passthrough: passed.passthrough }),
    });
  }
  const passes = Object.keys(passthroughs).length > 0;
  return { resources, problems, failed: false, holding: { type: "domain", tenant, ...(passes && { passthroughs }) } };
}
