/** Which balancer serves an object. */
import { defaultClass } from "../model/reference.ts";
import type { SeenIngress } from "../model/seen/ingress.ts";
import type { SeenIngressClass } from "../model/seen/ingress-class.ts";
import type { SeenService } from "../model/seen/service.ts";
import { quote, refusal } from "./problem.ts";
import type { Answer, Problem, Read, TranslationSettings } from "./translation.ts";

export type Choice =
  | { readonly type: "ours"; readonly balancer: string }
  /** Another controller's. */
  | { readonly type: "other" }
  | { readonly type: "unknown"; readonly problem: Problem };

/** The annotation `class`, else the class of a load balancer, else the first balancer. */
export function balancerOfService(service: SeenService, settings: TranslationSettings): Choice {
  return (
    annotated(service, settings) ?? chosen(balancerOfLoadBalancer(service, settings) ?? settings.balancers[0]?.name)
  );
}

/** Of a Service of type LoadBalancer whose class is one of ours: `PREFIX/BALANCER`. */
export function balancerOfLoadBalancer(service: SeenService, settings: TranslationSettings): string | undefined {
  const { loadBalancerClass } = service;
  return settings.balancers.find(({ name }) => loadBalancerClass === `${settings.prefix}/${name}`)?.name;
}

/** The annotation `class`, else the Ingress's class, else the default class. */
export function* balancerOfIngress(
  ingress: SeenIngress,
  settings: TranslationSettings,
): Generator<readonly Read[], Choice, readonly Answer[]> {
  const byAnnotation = annotated(ingress, settings);
  if (byAnnotation !== undefined) return byAnnotation;
  if (ingress.className === undefined) {
    const [answer] = yield [{ reference: defaultClass }];
    return chosen(answer?.holding?.type === "class" ? named(answer.holding.balancer, settings) : undefined);
  }
  const byName = withClass(ingress.className, settings);
  if (byName !== undefined) return chosen(byName);
  const [answer] = yield [{ reference: { kind: "IngressClass", namespace: "", name: ingress.className } }];
  return chosen(answer?.object?.kind === "IngressClass" ? ofController(answer.object, settings) : undefined);
}

/** By its controller, `PREFIX/BALANCER`, else by its name among a balancer's classes. */
export function balancerOfClass(ingressClass: SeenIngressClass, settings: TranslationSettings): string | undefined {
  return ofController(ingressClass, settings) ?? withClass(ingressClass.name, settings);
}

/** The annotation is our own, so an unknown class in it is a mistake. */
function annotated(object: SeenService | SeenIngress, settings: TranslationSettings): Choice | undefined {
  const text = object.annotations["class"];
  if (text === undefined) return undefined;
  const balancer = withClass(text.trim(), settings) ?? named(text.trim(), settings);
  if (balancer !== undefined) return chosen(balancer);
  const known = settings.balancers.flatMap(({ classes }) => classes).join(", ");
  return {
    type: "unknown",
    problem: refusal(
      `annotation ${settings.prefix}/class: ${quote(text)} is no class of a balancer; known are ${known}`,
    ),
  };
}

function chosen(balancer: string | undefined): Choice {
  return balancer === undefined ? { type: "other" } : { type: "ours", balancer };
}

function withClass(name: string, settings: TranslationSettings): string | undefined {
  return settings.balancers.find(({ classes }) => classes.includes(name))?.name;
}

function named(name: string, settings: TranslationSettings): string | undefined {
  return settings.balancers.find((balancer) => balancer.name === name)?.name;
}

function ofController({ controller }: SeenIngressClass, settings: TranslationSettings): string | undefined {
  return settings.balancers.find(({ name }) => controller === `${settings.prefix}/${name}`)?.name;
}
