/** Service v1: routes and listeners by its labels and annotations, and the pools that it or others use. */
import type { SeenService } from "../model/seen/service.ts";
import { askedOf } from "./asked.ts";
import { balancerOfService } from "./balancer.ts";
import { withAuthorities } from "./pool/authorities.ts";
import { poolWishesOf } from "./pool/wish.ts";
import { distinct } from "./problem.ts";
import { translateAsked } from "./service-asked.ts";
import { poolsOf, usesOfOthers } from "./service-pools.ts";
import { isExternal } from "./service-port.ts";
import { type Belonging, tenantOf, withTenant } from "./tenant.ts";
import type { Answer, ClaimOfUser, Problem, Read, Translating, TranslationSettings } from "./translation.ts";

export function* translateService(
  seen: SeenService,
  claims: readonly ClaimOfUser[],
  settings: TranslationSettings,
): Translating {
  const served = isExternal(seen) ? { ...seen, ports: [] } : seen;
  const { object: service, tenant, problems: ofTenant } = yield* tenantOfService(served);
  const others = usesOfOthers(service, claims, settings);
  const choice = balancerOfService(service, settings);
  const asked = askedOf(service, settings);
  const ofPools: Problem[] = [];
  const wished = poolWishesOf(service, settings.prefix, ofPools);
  const problems: Problem[] = [...(choice.type === "unknown" ? [choice.problem] : []), ...asked.problems, ...ofPools];
  const wishes = yield* withAuthorities(service, wished, problems);
  if (choice.type !== "ours" || problems.some(({ deny }) => deny)) {
    // What is wrong with its own routes must not hold up those who route to it. A pool without a setting that cannot be
    // read might do what nobody meant: those that are there stay as they were.
    const resources = ofPools.length > 0 ? {} : poolsOf(service, others, wishes);
    return { resources, problems: distinct(problems), failed: true };
  }
  problems.push(...ofTenant);
  const { balancer } = choice;
  return yield* translateAsked({ service, tenant, balancer, asked, wishes, others, settings, problems });
}

/** Of most Services nobody has to know: they ask for nothing. */
function* tenantOfService(service: SeenService): Generator<readonly Read[], Belonging<SeenService>, readonly Answer[]> {
  const asks = [service.labels, service.annotations].some((texts) => Object.keys(texts).length > 0);
  return asks ? yield* withTenant(service) : { object: service, tenant: tenantOf(service), problems: [] };
}
