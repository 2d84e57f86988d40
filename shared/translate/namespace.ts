/** Namespace: the host names that its annotation `domains` reserves for its tenant. */
import { parseHost } from "../model/host.ts";
import { domainReference } from "../model/reference.ts";
import type { SeenNamespace } from "../model/seen/namespace.ts";
import { partsOf } from "./annotation.ts";
import { Answers } from "./answers.ts";
import { maxHosts } from "./limit.ts";
import { distinct, quote, refusal } from "./problem.ts";
import { granted } from "./route.ts";
import { tenantOf } from "./tenant.ts";
import { nothing, type Problem, type Read, type Translating, type TranslationSettings } from "./translation.ts";

export function* translateNamespace(namespace: SeenNamespace, settings: TranslationSettings): Translating {
  const name = `annotation ${settings.prefix}/domains`;
  const problems: Problem[] = [];
  const hosts = new Set<string>();
  for (const part of partsOf(namespace.annotations["domains"])) {
    const host = parseHost(part);
    if (host.ok) hosts.add(host.value);
    else problems.push(refusal(`${name}: ${quote(part)}: ${host.reason}; several are joined by commas`));
  }
  if (hosts.size > maxHosts) problems.push(refusal(`${name}: at most ${maxHosts} names can be reserved`));
  if (problems.length > 0) return { resources: {}, problems: distinct(problems), failed: true };
  if (hosts.size === 0) return nothing;

  const tenant = tenantOf({ namespace: namespace.name, labels: namespace.labels });
  const claim = {
    type: "domain",
    tenant,
    created: namespace.created,
    reserved: true,
    balancers: [],
    certificates: [],
  } as const;
  const reads = [...hosts].map((host): Read => ({ reference: domainReference(host), claim }));
  const answers = new Answers(yield reads);
  const routes = [...hosts].map((host) => ({ host }));
  return { ...nothing, problems: distinct(granted(routes, tenant, answers).problems) };
}
