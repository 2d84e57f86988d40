/** What a Service that can be used gets of what it asks for, once it is known who holds hosts and ports. */
import { poolKey } from "../model/resource-key.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import { Answers } from "./answers.ts";
import type { Asked } from "./asked.ts";
import { certificateProblems, certificateReads, needlessReads } from "./certificates.ts";
import { authReads, guarded } from "./guard.ts";
import { behindPassthrough, passedThrough } from "./passthrough.ts";
import { doubtful } from "./pool/doubtful.ts";
import type { PoolWishes } from "./pool/wish.ts";
import { distinct, remark } from "./problem.ts";
import { put } from "./resources.ts";
import { domainReads, granted, rulesOf } from "./route.ts";
import { grantedListeners, listenerReads, servable } from "./service-listener.ts";
import { poolsOf, type Use } from "./service-pools.ts";
import { isExternal } from "./service-port.ts";
import { sharesOfService } from "./service-share.ts";
import type { Problem, Translating, TranslationSettings } from "./translation.ts";
import type { Wish } from "./wish/wish.ts";

interface AskedOfService {
  readonly service: SeenService;
  readonly tenant: string;
  readonly balancer: string;
  readonly asked: Asked & { readonly wish: Wish };
  readonly wishes: PoolWishes;
  /** What others use of it. */
  readonly others: readonly Use[];
  readonly settings: TranslationSettings;
  readonly problems: Problem[];
}

export function* translateAsked(all: AskedOfService): Translating {
  const { service, tenant, balancer, asked, wishes, others, settings, problems } = all;
  problems.push(...withoutPorts(service, asked));
  const certificates = certificateReads(asked.routes, [balancer]);
  const secrets = [...(asked.routes.length === 0 ? [] : authReads(service.namespace, asked.wish)), ...certificates];
  const kept = new Answers(secrets.length === 0 ? [] : yield secrets);

  const passthroughs = asked.passthroughs.map((each) => ({ ...each, pool: poolOf(service, each.backend) }));
  const wanted = servable(asked.listeners);
  const reads = [
    ...domainReads(asked.routes, { tenant, created: service.created, balancer }, passthroughs),
    ...listenerReads(service, balancer, wanted),
  ];
  const answers = new Answers(reads.length === 0 ? [] : yield reads);
  const routed = granted(asked.routes, tenant, answers);
  const passed = passedThrough(service, balancer, granted(passthroughs, tenant, answers), answers);
  const listening = grantedListeners(service, balancer, wanted, answers);
  problems.push(...routed.problems, ...passed.problems, ...listening.problems);
  problems.push(...behindPassthrough(routed.routes, balancer, answers, passed.hosts));
  problems.push(...certificateProblems(routed.routes, kept));
  const needless = needlessReads(certificates, routed.routes);
  if (needless.length > 0) yield needless;

  const isRouted = routed.routes.length > 0;
  const shares = yield* sharesOfService(service, balancer, isRouted ? asked.wish : {}, problems);
  const uses: Use[] = [
    ...routed.routes.flatMap(({ backend: port }) =>
      port === undefined ? [] : [{ balancer, port, by: "http" } as const],
    ),
    ...listening.listeners.map(({ target, protocol }) => ({ balancer, port: target, by: protocol })),
    ...passed.ports.map((port) => ({ balancer, port, by: "tcp" }) as const),
    ...others,
    ...shares.uses,
  ];
  const resources = poolsOf(service, uses, wishes);
  problems.push(...doubtful(uses, wishes, settings.prefix));
  const routes = routed.routes.map((route) => ({ ...route, pool: poolOf(service, route.backend) }));
  const wish = isRouted ? guarded(asked.wish, service.namespace, kept, settings, problems) : asked.wish;
  for (const [key, rule] of rulesOf(service, tenant, routes, wish, shares.pools)) put(resources, balancer, key, rule);
  return { resources, problems: distinct(problems), failed: false };
}

function withoutPorts(service: SeenService, { routes, passthroughs, listeners }: Asked): Problem[] {
  const lacksPort = [...routes, ...passthroughs].some(({ backend }) => backend === undefined);
  if (!lacksPort && servable(listeners).length === listeners.length) return [];
  const why = isExternal(service)
    ? "is an ExternalName, whose members are no addresses"
    : "has no port that could serve";
  const name = `Service ${service.namespace}/${service.name}`;
  return [remark(`${name} ${why}: its routes are answered with 503`)];
}

function poolOf(service: SeenService, port: SeenServicePort | undefined): string | undefined {
  return port === undefined ? undefined : poolKey(service.namespace, service.name, port.port);
}
