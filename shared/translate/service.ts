/** Service v1: routes and listeners by its labels and annotations, and the pools that it or others use. */
import { portReference, referenceKey } from "../model/reference.ts";
import { poolKey } from "../model/resource-key.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import { Answers } from "./answers.ts";
import { askedOf, type Listener } from "./asked.ts";
import { poolOfBackend, serviceReads } from "./backend.ts";
import { balancerOfService } from "./balancer.ts";
import { certificateProblems, certificateReads, needlessReads } from "./certificates.ts";
import { authReads, guarded } from "./guard.ts";
import { behindPassthrough, passedThrough } from "./passthrough.ts";
import { withAuthorities } from "./pool/authorities.ts";
import { doubtful } from "./pool/doubtful.ts";
import { poolWishesOf } from "./pool/wish.ts";
import { distinct, quote, refusal, remark } from "./problem.ts";
import { put } from "./resources.ts";
import { domainReads, granted, rulesOf } from "./route.ts";
import { poolsOf, type Use, usesOfOthers } from "./service-pools.ts";
import { findPort, isExternal } from "./service-port.ts";
import { type Belonging, tenantOf, withTenant } from "./tenant.ts";
import type { Answer, ClaimOfUser, Problem, Read, Translating, TranslationSettings } from "./translation.ts";
import { mapShares, type ShareBackend, sharesOf } from "./wish/share.ts";

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

  const { balancer } = choice;
  problems.push(...ofTenant);
  const me = `Service ${service.namespace}/${service.name}`;
  const listeners = asked.listeners.filter(hasTarget);
  const wanted = [...asked.routes, ...asked.passthroughs];
  if (listeners.length < asked.listeners.length || wanted.some(({ backend }) => backend === undefined)) {
    const why = isExternal(seen)
      ? "is an ExternalName, whose members are no addresses"
      : "has no port that could serve";
    problems.push(remark(`${me} ${why}: its routes are answered with 503`));
  }

  const passthroughs = asked.passthroughs.map((each) => ({ ...each, pool: poolOf(service, each.backend) }));
  const certificates = certificateReads(asked.routes, [balancer]);
  const secrets = [...(asked.routes.length === 0 ? [] : authReads(service.namespace, asked.wish)), ...certificates];
  const kept = new Answers(secrets.length === 0 ? [] : yield secrets);
  const reads = [
    ...domainReads(asked.routes, { tenant, created: service.created, balancer }, passthroughs),
    ...listeners.map((listener) => portRead(service, balancer, listener)),
  ];
  const answers = new Answers(reads.length === 0 ? [] : yield reads);
  const routed = granted(asked.routes, tenant, answers);
  const passed = passedThrough(service, balancer, granted(passthroughs, tenant, answers), answers);
  problems.push(...routed.problems, ...passed.problems);
  problems.push(...behindPassthrough(routed.routes, balancer, answers, passed.hosts));
  problems.push(...certificateProblems(routed.routes, kept));
  const needless = needlessReads(certificates, routed.routes);
  if (needless.length > 0) yield needless;
  const listening: ServableListener[] = [];
  for (const listener of listeners) {
    const { protocol, port } = listener;
    const holding = answers.of(portReference(balancer, protocol, port))?.holding;
    if (holding?.type === "port" && holding.by !== referenceKey(service)) {
      problems.push(refusal(`${protocol} port ${port} of balancer ${balancer} is taken: choose a free one`));
    } else listening.push(listener);
  }

  const uses: Use[] = [
    ...routed.routes.flatMap(({ backend: port }) =>
      port === undefined ? [] : [{ balancer, port, by: "http" } as const],
    ),
    ...listening.map(({ target, protocol }) => ({ balancer, port: target, by: protocol })),
    ...passed.ports.map((port) => ({ balancer, port, by: "tcp" }) as const),
    ...others,
  ];
  const isOwn = (backend: ShareBackend) => backend.service === service.name;
  const shared = routed.routes.length === 0 ? [] : sharesOf(asked.wish);
  const claimed = serviceReads(
    service.namespace,
    balancer,
    shared.filter((backend) => !isOwn(backend)),
  );
  const known = new Answers(claimed.length === 0 ? [] : yield claimed);
  const shares = mapShares(routed.routes.length === 0 ? {} : asked.wish, (backend) => {
    if (!isOwn(backend)) return poolOfBackend(service.namespace, backend, known, problems);
    const port = findPort(service, "TCP", backend.port);
    if (port !== undefined) uses.push({ balancer, port, by: "http" });
    else problems.push(remark(`${me} has no TCP port ${quote(String(backend.port))}`));
    return poolOf(service, port);
  });
  const resources = poolsOf(service, uses, wishes);
  problems.push(...doubtful(uses, wishes, settings.prefix));
  const routes = routed.routes.map((route) => ({ ...route, pool: poolOf(service, route.backend) }));
  const wish = routes.length === 0 ? asked.wish : guarded(asked.wish, service.namespace, kept, settings, problems);
  for (const [key, rule] of rulesOf(service, tenant, routes, wish, shares)) put(resources, balancer, key, rule);
  return { resources, problems: distinct(problems), failed: false };
}

/** Of most Services nobody has to know: they ask for nothing. */
function* tenantOfService(service: SeenService): Generator<readonly Read[], Belonging<SeenService>, readonly Answer[]> {
  const asks = [service.labels, service.annotations].some((texts) => Object.keys(texts).length > 0);
  return asks ? yield* withTenant(service) : { object: service, tenant: tenantOf(service), problems: [] };
}

function poolOf(service: SeenService, port: SeenServicePort | undefined): string | undefined {
  return port === undefined ? undefined : poolKey(service.namespace, service.name, port.port);
}

function portRead(service: SeenService, balancer: string, { protocol, port, target }: ServableListener): Read {
  return {
    reference: portReference(balancer, protocol, port),
    claim: { type: "port", created: service.created, pool: poolKey(service.namespace, service.name, target.port) },
  };
}

type ServableListener = Listener & { readonly target: SeenServicePort };

function hasTarget(listener: Listener): listener is ServableListener {
  return listener.target !== undefined;
}
