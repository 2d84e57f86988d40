/** IngressClass: one of ours that is marked as the default claims to be the class of Ingresses that name none. */
import { defaultClass, referenceKey } from "../model/reference.ts";
import type { SeenIngressClass } from "../model/seen/ingress-class.ts";
import { balancerOfClass } from "./balancer.ts";
import { remark } from "./problem.ts";
import { nothing, type Translating, type TranslationSettings } from "./translation.ts";

export function* translateIngressClass(ingressClass: SeenIngressClass, settings: TranslationSettings): Translating {
  const balancer = balancerOfClass(ingressClass, settings);
  if (!ingressClass.isDefault || balancer === undefined) return nothing;
  const [answer] = yield [
    { reference: defaultClass, claim: { type: "class", created: ingressClass.created, balancer } },
  ];
  if (answer?.holding?.type !== "class" || answer.holding.by === referenceKey(ingressClass)) return nothing;
  return { ...nothing, problems: [remark("another IngressClass is the default already: mark only one")] };
}
