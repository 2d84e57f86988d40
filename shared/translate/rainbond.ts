/** What Rainbond asks for by a Service's labels; they work unchanged, without annotations. */
import { parseHost } from "../model/host.ts";
import { parsePortNumber } from "../model/port-number.ts";
import type { SeenService } from "../model/seen/service.ts";
import type { Asked, Listener, ServiceRoute } from "./asked.ts";
import { quote, refusal, remark } from "./problem.ts";
import { prefixPath } from "./route.ts";
import { containerPort } from "./service-port.ts";
import { tenantOf } from "./tenant.ts";
import type { Problem, TranslationSettings } from "./translation.ts";

type ByLabels = Omit<Asked, "passthroughs">;

/** The service alias: what the selector calls `name`, else the Service's own name. */
function aliasOf(service: SeenService): string {
  return service.selectorName ?? service.name;
}

/** The name of the Rainbond pool of a port, for people who look for that. */
export function poolAlias(service: SeenService, container: number): string {
  return `${tenantOf(service)}@${aliasOf(service)}_${container}.Pool`;
}

/** Rainbond made it: its pools keep an unready pod that is their only node. */
export function isRainbonds(service: SeenService): boolean {
  return Boolean(service.labels["tenant_name"]) && service.selectorName !== undefined;
}

/**
 * Label protocol http or https: a route for each domain; https with the certificates that the annotation names, else with
 * the default one. Anything else with an lbmap_port: a listener.
 */
export function askedByLabels(
  service: SeenService,
  certificates: readonly string[],
  settings: TranslationSettings,
): ByLabels {
  const protocol = service.labels["protocol"];
  return protocol === "http" || protocol === "https"
    ? routesOf(service, protocol, protocol === "https" ? certificates : [], settings)
    : { routes: [], ...listenersOf(service, protocol) };
}

function routesOf(
  service: SeenService,
  scheme: "http" | "https",
  certificates: readonly string[],
  settings: TranslationSettings,
): ByLabels {
  const problems: Problem[] = [];
  const hosts = new Set<string>();
  for (const [index, text] of domainsOf(service).entries()) {
    const domain = index === 0 ? withOriginPort(service, text, problems) : text;
    const host = parseHost(domain);
    if (host.ok) hosts.add(host.value);
    else problems.push(refusal(`label domain: ${quote(domain)}: ${host.reason}; several are joined by ___`));
  }
  const byDefault = defaultDomain(service, settings);
  if (byDefault !== undefined) {
    const host = parseHost(byDefault);
    if (host.ok) hosts.add(host.value);
    else problems.push(remark(`there is no default domain ${quote(byDefault)}: ${host.reason}`));
  }
  const routes = [...hosts].map(
    (host): ServiceRoute => ({ host, scheme, path: prefixPath("/"), certificates, backend: service.ports[0] }),
  );
  return { routes, listeners: [], problems };
}

function domainsOf(service: SeenService): string[] {
  return (service.labels["domain"] ?? "").split("___").filter((domain) => domain !== "");
}

/** `5000.web.shop.example` with origin_port 5001 means `5001.web.shop.example`, if 5000 is the container port. */
function withOriginPort(service: SeenService, domain: string, problems: Problem[]): string {
  const origin = service.labels["origin_port"];
  const container = service.ports[0]?.targetPort;
  const [first, ...rest] = domain.split(".");
  if (!origin || typeof container !== "number" || first !== String(container)) return domain;
  const port = parsePortNumber(origin);
  if (!port.ok) problems.push(refusal(`label origin_port: ${quote(origin)}: ${port.reason}`));
  return [origin, ...rest].join(".");
}

/** `PORT.ALIAS.TENANT.SUFFIX`: Rainbond's nodes know it by themselves, ours are told. */
function defaultDomain(service: SeenService, settings: TranslationSettings): string | undefined {
  const [port] = service.ports;
  if (!settings.httpSuffix || !service.labels["tenant_name"] || port === undefined) return undefined;
  return `${containerPort(port)}.${aliasOf(service)}.${tenantOf(service)}.${settings.httpSuffix}`;
}

function listenersOf(service: SeenService, protocol: string | undefined): Pick<Asked, "listeners" | "problems"> {
  const text = service.labels["lbmap_port"] ?? "";
  const [target] = service.ports;
  if (/^0*$/.test(text)) return { listeners: [], problems: [] };
  const port = parsePortNumber(text);
  if (!port.ok)
    return { listeners: [], problems: [refusal(`label lbmap_port: ${quote(text)}: ${port.reason}; 0 is none`)] };
  const listener: Listener = {
    protocol: protocol === "udp" || target?.protocol === "UDP" ? "udp" : "tcp",
    port: port.value,
    target,
  };
  return { listeners: [listener], problems: [] };
}
