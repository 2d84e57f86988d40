/** Ingress v1: a Rule for each of its paths, on the hosts that its tenant holds. */
import type { SeenBackend, SeenIngress } from "../model/seen/ingress.ts";
import { redirectsHttps } from "./annotation.ts";
import { Answers } from "./answers.ts";
import { poolOfBackend, serviceReads } from "./backend.ts";
import { balancerOfIngress } from "./balancer.ts";
import { certificateProblems, certificateReads, needlessReads } from "./certificates.ts";
import { authReads, guarded } from "./guard.ts";
import { routesOfIngress } from "./ingress-route.ts";
import { tooMany } from "./limit.ts";
import { behindPassthrough } from "./passthrough.ts";
import { misplacedOnIngress } from "./pool/wish.ts";
import { distinct } from "./problem.ts";
import { put, type Resources } from "./resources.ts";
import { domainReads, granted, rulesOf } from "./route.ts";
import { withTenant } from "./tenant.ts";
import { nothing, type Problem, type Translating, type TranslationSettings } from "./translation.ts";
import { mapShares, sharesOf } from "./wish/share.ts";
import { wishOf } from "./wish/wish.ts";

export function* translateIngress(ingress: SeenIngress, settings: TranslationSettings): Translating {
  const choice = yield* balancerOfIngress(ingress, settings);
  if (choice.type === "other") return nothing;
  if (choice.type === "unknown") return { resources: {}, problems: [choice.problem], failed: true };
  const { balancer } = choice;
  const problems: Problem[] = [];
  const wish = wishOf(ingress, settings.prefix, problems);
  const redirects = redirectsHttps(ingress, settings.prefix, problems);
  const wanted = routesOfIngress(ingress, redirects, wish.path.usesRegex);
  problems.push(...tooMany(wanted.routes, 0), ...wanted.problems);
  problems.push(...misplacedOnIngress(ingress.annotations, settings.prefix));
  if (problems.some(({ deny }) => deny)) return { resources: {}, problems: distinct(problems), failed: true };

  const { tenant, problems: ofTenant } = yield* withTenant(ingress);
  const certificates = certificateReads(wanted.routes, [balancer]);
  const secrets = [...authReads(ingress.namespace, wish), ...certificates];
  const kept = new Answers(secrets.length === 0 ? [] : yield secrets);
  const domains = domainReads(wanted.routes, { tenant, created: ingress.created, balancer });
  const known = new Answers(domains.length === 0 ? [] : yield domains);
  const { routes, problems: refused } = granted(wanted.routes, tenant, known);
  problems.push(
    ...ofTenant,
    ...refused,
    ...behindPassthrough(routes, balancer, known),
    ...certificateProblems(routes, kept),
  );
  const needless = needlessReads(certificates, routes);
  if (needless.length > 0) yield needless;

  // Only what is routed is used: a Service keeps no pool for hosts that were lost.
  const services = serviceReads(
    ingress.namespace,
    balancer,
    routes.flatMap(({ backend }) => [backend, ...sharesOf(wish)]),
  );
  const answers = new Answers(services.length === 0 ? [] : yield services);
  const resources: Resources = {};
  const pool = (backend: SeenBackend) => poolOfBackend(ingress.namespace, backend, answers, problems);
  const shares = routes.length === 0 ? {} : mapShares(wish, pool);
  const routed = routes.map((route) => ({ ...route, pool: pool(route.backend) }));
  const asked = routes.length === 0 ? wish : guarded(wish, ingress.namespace, kept, settings, problems);
  const rules = rulesOf(ingress, tenant, routed, asked, shares);
  for (const [key, rule] of rules) put(resources, balancer, key, rule);
  return { resources, problems: distinct(problems), failed: false };
}
