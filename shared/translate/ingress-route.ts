/** The routes that an Ingress's spec means, before anyone knows who holds their hosts. */
import { hostCovers } from "../model/host.ts";
import { certificateKey } from "../model/resource-key.ts";
import { maxPathLength, maxRegexLength, type PathMatch, type Scheme } from "../model/rule.ts";
import type { SeenBackend, SeenIngress, SeenPath } from "../model/seen/ingress.ts";
import { refusal, remark } from "./problem.ts";
import { prefixPath, type Route } from "./route.ts";
import type { Problem } from "./translation.ts";

/** Every host, where a rule or the default backend names none. */
const anyHost = "*";

/**
 * The paths of each host, and the default backend (API: "a backend that serves requests that don't match any rule")
 * on every host, and beneath each host of its own that has no path `/` itself.
 */
export function routesOfIngress(
  ingress: SeenIngress,
  redirect: boolean,
  usesRegex: boolean,
): { routes: readonly Route<SeenBackend>[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const pathsByHost = new Map<string, SeenPath[]>();
  for (const { host, paths } of ingress.rules) {
    const key = host || anyHost;
    pathsByHost.set(key, [...(pathsByHost.get(key) ?? []), ...paths]);
  }
  if (ingress.defaultBackend && !pathsByHost.has(anyHost)) pathsByHost.set(anyHost, []);

  const routes = [...pathsByHost].flatMap(([host, paths]) => {
    const { scheme, certificates } = tlsOf(ingress, host, redirect);
    const matches = paths.map(({ backend, ...path }) => ({ path: matchOf(path, usesRegex), backend }));
    const servesAll = matches.some(({ path }) => path.type !== "exact" && path.type !== "regex" && path.value === "/");
    if (ingress.defaultBackend && !servesAll) matches.push({ path: prefixPath("/"), backend: ingress.defaultBackend });
    if (matches.length === 0) problems.push(remark(`host ${host} has no path, and there is no default backend`));
    return matches.map((match): Route<SeenBackend> => ({ host, scheme, certificates, ...match }));
  });
  if (routes.some(({ path }) => path.value.length > maxPathLength)) {
    problems.push(refusal(`a path has more than ${maxPathLength} characters: shorten it`));
  }
  if (routes.some(({ path }) => path.type === "regex" && path.value.length > maxRegexLength)) {
    problems.push(refusal(`a regular expression has more than ${maxRegexLength} characters: shorten it`));
  }
  return { routes, problems };
}

function matchOf({ path, pathType }: Omit<SeenPath, "backend">, usesRegex: boolean): PathMatch {
  if (pathType === "Prefix" || path === "") return prefixPath(path);
  if (pathType === "ImplementationSpecific" && usesRegex) return { type: "regex", value: path };
  return { type: pathType === "Exact" ? "exact" : "start", value: path };
}

/** A host of which no entry under `tls` speaks is served by http; an entry without hosts speaks of all. */
function tlsOf(
  ingress: SeenIngress,
  host: string,
  redirect: boolean,
): { readonly scheme: Scheme; readonly certificates: readonly string[] } {
  const entries = ingress.tls.filter(({ hosts }) => hosts.length === 0 || hosts.some((each) => hostCovers(each, host)));
  if (entries.length === 0) return { scheme: "http", certificates: [] };
  return {
    scheme: redirect ? "httptohttps" : "httpandhttps",
    certificates: entries.flatMap(({ secretName }) =>
      secretName === undefined ? [] : [certificateKey(ingress.namespace, secretName)],
    ),
  };
}
