/** TLS connections for a host that go to a Service as they are: who gets them, and which routes they hide. */
import { domainReference, referenceKey } from "../model/reference.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import type { Answers } from "./answers.ts";
import type { Passthrough } from "./asked.ts";
import { refusal, remark } from "./problem.ts";
import type { Route } from "./route.ts";
import type { Problem } from "./translation.ts";

/** The ports that get connections, and a refusal for each host whose connections another Service of the tenant gets. */
export function passedThrough(
  service: SeenService,
  balancer: string,
  granted: { readonly routes: readonly Passthrough[]; readonly problems: readonly Problem[] },
  answers: Answers,
): { readonly hosts: ReadonlySet<string>; readonly ports: readonly SeenServicePort[]; readonly problems: Problem[] } {
  const problems = [...granted.problems];
  const own = granted.routes.filter(({ host }) => {
    const by = passesTo(host, balancer, answers);
    if (by === undefined || by === referenceKey(service)) return true;
    problems.push(refusal(`TLS connections for ${host} are passed through to another Service: keep one of them`));
    return false;
  });
  return {
    hosts: new Set(own.flatMap(({ host, backend }) => (backend === undefined ? [] : [host]))),
    ports: own.flatMap(({ backend }) => backend ?? []),
    problems,
  };
}

/** Routes by https whose host's connections are not ended here. `own`: hosts that the object passes through itself. */
export function behindPassthrough(
  routes: readonly Route<unknown>[],
  balancer: string,
  answers: Answers,
  own: ReadonlySet<string> = new Set(),
): Problem[] {
  const hidden = routes.flatMap(({ host, scheme }) => {
    const isHidden = own.has(host) || passesTo(host, balancer, answers) !== undefined;
    return scheme !== "http" && isHidden ? [host] : [];
  });
  return [...new Set(hidden)].map((host) =>
    remark(`TLS connections for ${host} are passed through as they are, so its routes are not reached by https`),
  );
}

/** referenceKey of the Service that gets them. */
function passesTo(host: string, balancer: string, answers: Answers): string | undefined {
  const holding = answers.of(domainReference(host))?.holding;
  return holding?.type === "domain" ? holding.passthroughs?.[balancer] : undefined;
}
