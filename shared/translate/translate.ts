/** What an object of any kind wants: the one entry of this room. */
import { translateDefaultClass } from "./default-class.ts";
import { translateDomain } from "./domain.ts";
import { translateEndpointSlice } from "./endpoint-slice.ts";
import { translateIngress } from "./ingress.ts";
import { translateIngressClass } from "./ingress-class.ts";
import { translateNamespace } from "./namespace.ts";
import { translatePort } from "./port.ts";
import { translateSecret } from "./secret.ts";
import { translateService } from "./service.ts";
import { nothing, type Subject, type Translating, type TranslationSettings } from "./translation.ts";

/** An object that is gone wants nothing and claims nothing. */
export function* translate(subject: Subject, settings: TranslationSettings): Translating {
  const { reference, object, claims, holding } = subject;
  switch (reference.kind) {
    case "Namespace":
      return object?.kind === "Namespace" ? yield* translateNamespace(object, settings) : nothing;
    case "IngressClass":
      return object?.kind === "IngressClass" ? yield* translateIngressClass(object, settings) : nothing;
    case "Secret":
      return object?.kind === "Secret" ? translateSecret(object, claims, settings) : nothing;
    case "Service":
      return object?.kind === "Service" ? yield* translateService(object, claims, settings) : nothing;
    case "EndpointSlice":
      return object?.kind === "EndpointSlice" ? yield* translateEndpointSlice(object, settings) : nothing;
    case "Ingress":
      return object?.kind === "Ingress" ? yield* translateIngress(object, settings) : nothing;
    case "Domain":
      return translateDomain(reference.name, claims, holding);
    case "Port":
      return translatePort(reference, claims, holding);
    case "DefaultClass":
      return translateDefaultClass(claims, holding);
  }
}
