/** One route or one listener of an annotation's list. */
import { parseHost } from "../model/host.ts";
import type { Parsed } from "../model/parse.ts";
import { parsePortNumber } from "../model/port-number.ts";
import { maxPathLength, type PathMatch, type Scheme } from "../model/rule.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import type { Listener, Passthrough, ServiceRoute } from "./asked.ts";
import { quote } from "./problem.ts";
import { prefixPath } from "./route.ts";
import { findPort } from "./service-port.ts";

/** `HOST[/PATH][=PORT]` */
export function parseRoute(
  service: SeenService,
  part: string,
  scheme: Scheme,
  certificates: readonly string[],
): Parsed<ServiceRoute> {
  const equals = part.lastIndexOf("=");
  const target = equals === -1 ? part : part.slice(0, equals);
  const slash = target.indexOf("/");
  const host = parseHost(slash === -1 ? target : target.slice(0, slash));
  if (!host.ok) return host;
  const path = parsePath(slash === -1 ? "/" : target.slice(slash));
  if (!path.ok) return path;
  const backend = parsePort(service, "TCP", equals === -1 ? undefined : part.slice(equals + 1));
  if (!backend.ok) return backend;
  return { ok: true, value: { host: host.value, scheme, path: path.value, certificates, backend: backend.value } };
}

function parsePath(path: string): Parsed<PathMatch> {
  if (path.length > maxPathLength) return { ok: false, reason: `a path has at most ${maxPathLength} characters` };
  if (/[\s?#\p{Cc}]/u.test(path)) return { ok: false, reason: "a path has no spaces, ? or #" };
  return { ok: true, value: prefixPath(path) };
}

/** `HOST[=PORT]` */
export function parsePassthrough(service: SeenService, part: string): Parsed<Passthrough> {
  const [name = "", port, ...rest] = part.split("=");
  if (rest.length > 0) return { ok: false, reason: "has more than one port" };
  const host = parseHost(name.trim());
  if (!host.ok) return host;
  if (host.value === "*") {
    return { ok: false, reason: "connections without a name can't be told from others: name a host" };
  }
  const backend = parsePort(service, "TCP", port);
  return backend.ok ? { ok: true, value: { host: host.value, backend: backend.value } } : backend;
}

/** `LISTENER:PORT` */
export function parseListener(service: SeenService, part: string, protocol: "tcp" | "udp"): Parsed<Listener> {
  const [listener = "", target, ...rest] = part.split(":");
  if (target === undefined || rest.length > 0) return { ok: false, reason: "is no pair of a listener and a port" };
  const port = parsePortNumber(listener.trim());
  if (!port.ok) return port;
  const found = parsePort(service, protocol === "udp" ? "UDP" : "TCP", target);
  if (!found.ok) return found;
  return { ok: true, value: { protocol, port: port.value, target: found.value } };
}

/** Undefined where the Service has no port that could be meant, which is no fault of the annotation. */
function parsePort(
  service: SeenService,
  protocol: "TCP" | "UDP",
  text: string | undefined,
): Parsed<SeenServicePort | undefined> {
  if (text === undefined) return { ok: true, value: service.ports.find((port) => port.protocol === protocol) };
  const name = text.trim();
  const number = parsePortNumber(name);
  const found = findPort(service, protocol, number.ok ? number.value : name);
  if (found !== undefined || service.ports.length === 0) return { ok: true, value: found };
  if (/^[0-9]+$/.test(name) && !number.ok) return number;
  return { ok: false, reason: `the Service has no ${protocol} port ${quote(name)}` };
}
