/** What a Service asks for by annotations of our own. */
import { maxCertificatesOfDomain } from "../model/domain.ts";
import { subdomainName } from "../model/object-name.ts";
import { type Parsed, parseWith } from "../model/parse.ts";
import { certificateKey } from "../model/resource-key.ts";
import type { PathMatch } from "../model/rule.ts";
import type { SeenService } from "../model/seen/service.ts";
import { parseListener, parsePassthrough, parseRoute } from "./annotation-part.ts";
import type { Asked } from "./asked.ts";
import { maxRoutes } from "./limit.ts";
import { quote, refusal } from "./problem.ts";
import type { Problem } from "./translation.ts";

/**
 * | annotation       | value                                   |
 * |------------------|-----------------------------------------|
 * | `http`           | `HOST[/PATH][=PORT],…`                  |
 * | `https`          | the same, by https; http is redirected  |
 * | `certificate`    | `SECRET,…` of the same namespace        |
 * | `redirect-https` | `false`: http is served, too            |
 * | `tcp`, `udp`     | `LISTENER:PORT,…`                       |
 * | `tls-passthrough`| `HOST[=PORT],…`                         |
 *
 * PORT is a number or a name of the Service's; without it the first by TCP.
 */
export function askedByAnnotations(service: SeenService, certificates: readonly string[], prefix: string): Asked {
  const problems: Problem[] = [];
  const each = <T>(name: string, form: string, read: (part: string) => Parsed<T>): T[] =>
    partsOf(service.annotations[name]).flatMap((part) => {
      const parsed = read(part);
      if (parsed.ok) return [parsed.value];
      problems.push(refusal(`annotation ${prefix}/${name}: ${quote(part)}: ${parsed.reason}; write ${form}`));
      return [];
    });

  const routeForm = "HOST[/PATH][=PORT], several joined by commas";
  const listenerForm = "LISTENER:PORT, several joined by commas";
  const passthroughForm = "HOST[=PORT], several joined by commas";
  const redirect = redirectsHttps(service, prefix, problems);
  const secure = redirect ? "httptohttps" : "httpandhttps";
  const routes = [
    ...each(
      "http",
      routeForm,
      once((part) => parseRoute(service, part, "http", [])),
    ),
    ...each(
      "https",
      routeForm,
      once((part) => parseRoute(service, part, secure, certificates)),
    ),
  ];
  const listeners = [
    ...each("tcp", listenerForm, (part) => parseListener(service, part, "tcp")),
    ...each("udp", listenerForm, (part) => parseListener(service, part, "udp")),
  ];
  const passthroughs = each(
    "tls-passthrough",
    passthroughForm,
    once((part) => parsePassthrough(service, part)),
  );
  return { routes, listeners, passthroughs, problems };
}

/** Refuses a host and path that the same list has named before: which port would count? */
function once<T extends { host: string; path?: PathMatch }>(
  read: (part: string) => Parsed<T>,
): (part: string) => Parsed<T> {
  const named = new Set<string>();
  return (part) => {
    const route = read(part);
    if (!route.ok) return route;
    const key = `${route.value.host} ${route.value.path?.value ?? ""}`;
    if (named.has(key)) return { ok: false, reason: "is named twice" };
    named.add(key);
    return route;
  };
}

/** The annotation `redirect-https` of a Service or an Ingress: true unless it is `false`. */
export function redirectsHttps(
  object: { readonly annotations: Readonly<Record<string, string>> },
  prefix: string,
  problems: Problem[],
): boolean {
  const text = object.annotations["redirect-https"]?.trim() ?? "true";
  if (text !== "true" && text !== "false") {
    problems.push(refusal(`annotation ${prefix}/redirect-https: ${quote(text)} is neither "true" nor "false"`));
  }
  return text !== "false";
}

/** Keys of the certificates of all its https hosts; of several a client is shown the one that it knows. */
export function certificatesOf(service: SeenService, prefix: string, problems: Problem[]): string[] {
  const keys = partsOf(service.annotations["certificate"]).flatMap((part) => {
    const name = parseWith(subdomainName, part);
    if (name.ok) return [certificateKey(service.namespace, name.value)];
    const fault = `${quote(part)} is no name of a Secret of this namespace: ${name.reason}`;
    problems.push(refusal(`annotation ${prefix}/certificate: ${fault}; several are joined by commas`));
    return [];
  });
  if (keys.length <= maxCertificatesOfDomain) return [...new Set(keys)];
  problems.push(refusal(`annotation ${prefix}/certificate: names more than ${maxCertificatesOfDomain} Secrets`));
  return [];
}

/** The parts of a list joined by commas; one more than an object may have is enough to refuse it. */
export function partsOf(text: string | undefined): string[] {
  const list = text?.trim() ?? "";
  return list === "" ? [] : list.split(",", maxRoutes + 1).map((part) => part.trim());
}
