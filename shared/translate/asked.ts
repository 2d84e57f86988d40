/** What a Service asks for by its labels and annotations, before anyone knows what it gets. */
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import { askedByAnnotations, certificatesOf } from "./annotation.ts";
import { tooMany } from "./limit.ts";
import { askedByClass } from "./load-balancer.ts";
import { refusal } from "./problem.ts";
import { askedByLabels } from "./rainbond.ts";
import type { Route } from "./route.ts";
import { portsOfPool } from "./service-port.ts";
import type { Problem, TranslationSettings } from "./translation.ts";
import { type Wish, wishOf } from "./wish/wish.ts";

/** No port: the Service has none that can serve; the route is known all the same. */
export type ServiceRoute = Route<SeenServicePort | undefined>;

/** An L4 listener that leads to a port, if there is one. */
export interface Listener {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly target: SeenServicePort | undefined;
}

/** A host whose TLS connections go to a port as they are. */
export interface Passthrough {
  readonly host: string;
  readonly backend: SeenServicePort | undefined;
}

export interface Asked {
  readonly routes: readonly ServiceRoute[];
  readonly passthroughs: readonly Passthrough[];
  readonly listeners: readonly Listener[];
  /** A refusal among them means that the Service as a whole cannot be used. */
  readonly problems: readonly Problem[];
}

/**
 * Labels and annotations together. Where both name one host and path the annotation counts, and `https` before
 * `http`, so that a route can move from one to the other without a gap.
 */
export function askedOf(service: SeenService, settings: TranslationSettings): Asked & { readonly wish: Wish } {
  const ofCertificates: Problem[] = [];
  const certificates = certificatesOf(service, settings.prefix, ofCertificates);
  const byLabels = askedByLabels(service, certificates, settings);
  const byAnnotations = askedByAnnotations(service, certificates, settings.prefix);
  const problems = [...byLabels.problems, ...byAnnotations.problems, ...ofCertificates];
  const wish = wishOf(service, settings.prefix, problems);
  const all = [...byLabels.routes, ...byAnnotations.routes];
  const routes = [...new Map(all.map((route) => [`${route.host} ${route.path.value}`, route])).values()];
  const listeners = new Map<string, Listener>();
  for (const listener of [...askedByClass(service, settings), ...byLabels.listeners, ...byAnnotations.listeners]) {
    const key = `${listener.protocol} port ${listener.port}`;
    const other = listeners.get(key);
    if (other !== undefined && other.target !== listener.target) {
      problems.push(refusal(`${key} is asked for twice, for different ports of the Service: keep one of them`));
    }
    if (listener.target !== undefined && !portsOfPool(service, listener.target.port).includes(listener.target)) {
      problems.push(
        refusal(
          `ports ${listener.target.port}/TCP and ${listener.target.port}/${listener.target.protocol} lead to different ` +
            "target ports, and one port has one pool: give one of them another number",
        ),
      );
    }
    listeners.set(key, listener);
  }
  const { passthroughs } = byAnnotations;
  problems.push(...tooMany([...routes, ...passthroughs], listeners.size));
  return { routes, passthroughs, listeners: [...listeners.values()], wish, problems };
}
