/** Ingress v1: a Rule for each of its paths, on the hosts that its tenant holds. */
import { poolKey } from "../model/resource-key.ts";
import type { SeenBackend, SeenIngress } from "../model/seen/ingress.ts";
import { redirectsHttps } from "./annotation.ts";
import { Answers } from "./answers.ts";
import { balancerOfIngress } from "./balancer.ts";
import { routesOfIngress } from "./ingress-route.ts";
import { tooMany } from "./limit.ts";
import { distinct, quote, remark } from "./problem.ts";
import { put, type Resources } from "./resources.ts";
import { domainReads, granted, rulesOf } from "./route.ts";
import { findPort, isExternal } from "./service-port.ts";
import { tenantOf } from "./tenant.ts";
import { nothing, type Problem, type Read, type Translating, type TranslationSettings } from "./translation.ts";

export function* translateIngress(ingress: SeenIngress, settings: TranslationSettings): Translating {
  const choice = yield* balancerOfIngress(ingress, settings);
  if (choice.type === "other") return nothing;
  if (choice.type === "unknown") return { resources: {}, problems: [choice.problem], failed: true };
  const { balancer } = choice;
  const tenant = tenantOf(ingress);
  const problems: Problem[] = [];
  const wanted = routesOfIngress(ingress, redirectsHttps(ingress, settings.prefix, problems));
  problems.push(...tooMany(wanted.routes, 0), ...wanted.problems);
  if (problems.some(({ deny }) => deny)) return { resources: {}, problems: distinct(problems), failed: true };

  const domains = domainReads(wanted.routes, { tenant, created: ingress.created, balancer });
  const { routes, problems: refused } = granted(
    wanted.routes,
    tenant,
    new Answers(domains.length === 0 ? [] : yield domains),
  );
  problems.push(...refused);

  // Only what is routed is used: a Service keeps no pool for hosts that were lost.
  const services = serviceReads(
    ingress,
    balancer,
    routes.map(({ backend }) => backend),
  );
  const answers = new Answers(services.length === 0 ? [] : yield services);
  const resources: Resources = {};
  const rules = rulesOf(
    ingress,
    tenant,
    routes.map((route) => ({ ...route, pool: poolOf(ingress, route.backend, answers, problems) })),
  );
  for (const [key, rule] of rules) put(resources, balancer, key, rule);
  return { resources, problems: distinct(problems), failed: false };
}

/** One claim for each Service, with all its ports that are used. */
function serviceReads(ingress: SeenIngress, balancer: string, backends: readonly SeenBackend[]): Read[] {
  const ports = new Map<string, Set<number | string>>();
  for (const backend of backends) {
    if (!("service" in backend)) continue;
    const used = ports.get(backend.service) ?? new Set();
    ports.set(backend.service, used.add(backend.port));
  }
  return [...ports].map(([name, used]) => ({
    reference: { kind: "Service", namespace: ingress.namespace, name },
    claim: { type: "pool", uses: [...used].sort(byText).map((port) => ({ balancer, port })) },
  }));
}

/** Undefined with a remark: the Service or its port may come later, and then this Ingress is translated again. */
function poolOf(ingress: SeenIngress, backend: SeenBackend, answers: Answers, problems: Problem[]): string | undefined {
  const missing = (sentence: string): undefined => {
    problems.push(remark(sentence));
  };
  if ("resource" in backend) {
    return missing(`a resource as a backend (${quote(backend.resource)}) is not served; name a Service`);
  }
  const { namespace } = ingress;
  const name = `Service ${namespace}/${backend.service}`;
  const service = answers.service({ kind: "Service", namespace, name: backend.service });
  if (service === undefined) return missing(`${name} does not exist yet`);
  if (isExternal(service))
    return missing(`${name} is an ExternalName, whose members are no addresses: it is not served`);
  const port = findPort(service, "TCP", backend.port);
  if (port === undefined) return missing(`${name} has no TCP port ${quote(String(backend.port))}`);
  return poolKey(namespace, backend.service, port.port);
}

function byText(a: number | string, b: number | string): number {
  const [first, second] = [String(a), String(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}
