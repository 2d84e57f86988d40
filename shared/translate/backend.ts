/** Services as backends of routes: the claims on their ports, and the pools that these are. */
import { poolKey } from "../model/resource-key.ts";
import type { SeenBackend } from "../model/seen/ingress.ts";
import type { Answers } from "./answers.ts";
import { quote, remark } from "./problem.ts";
import { findPort, isExternal } from "./service-port.ts";
import type { Problem, Read } from "./translation.ts";

/** One claim for each Service, with all its ports that are used. */
export function serviceReads(namespace: string, balancer: string, backends: readonly SeenBackend[]): Read[] {
  const ports = new Map<string, Set<number | string>>();
  for (const backend of backends) {
    if (!("service" in backend)) continue;
    const used = ports.get(backend.service) ?? new Set();
    ports.set(backend.service, used.add(backend.port));
  }
  return [...ports].map(([name, used]) => ({
    reference: { kind: "Service", namespace, name },
    claim: { type: "pool", uses: [...used].sort(byText).map((port) => ({ balancer, port })) },
  }));
}

/** Undefined with a remark: the Service or its port may come later, and then who asks is translated again. */
export function poolOfBackend(
  namespace: string,
  backend: SeenBackend,
  answers: Answers,
  problems: Problem[],
): string | undefined {
  const missing = (sentence: string): undefined => {
    problems.push(remark(sentence));
  };
  if ("resource" in backend) {
    return missing(`a resource as a backend (${quote(backend.resource)}) is not served; name a Service`);
  }
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
