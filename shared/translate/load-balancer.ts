/** A Service of type LoadBalancer with our class asks for all its ports, as they are. */
import type { SeenService } from "../model/seen/service.ts";
import type { Listener } from "./asked.ts";
import { balancerOfLoadBalancer } from "./balancer.ts";
import type { TranslationSettings } from "./translation.ts";

/** No balancer passes SCTP. */
export function askedByClass(service: SeenService, settings: TranslationSettings): Listener[] {
  if (balancerOfLoadBalancer(service, settings) === undefined) return [];
  return service.ports.flatMap((target) => {
    if (target.protocol === "SCTP") return [];
    return [{ protocol: target.protocol === "TCP" ? "tcp" : "udp", port: target.port, target } as const];
  });
}
