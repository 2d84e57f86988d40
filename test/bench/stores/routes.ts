/** What the bench's cluster has: an Ingress for each route, and a Service with a slice for every ten of them. */
import type { SeenObject } from "../../../shared/model/seen/object.ts";
import { seenIngress, seenService, seenSlice } from "../../harness/seen.ts";
import { auditOf } from "../wire.ts";

const routesPerService = 10;
const namespaces = 10;
/** As many as a kube-apiserver sends at once. */
const eventsPerBatch = 400;

export function hostOf(route: number): string {
  return `h${route}.example`;
}

/** Beside the first one, in turns of a change. */
export function otherHostOf(route: number): string {
  return `x${route}.example`;
}

export function ingressOf(route: number, withOther = false): SeenObject {
  const service = Math.floor(route / routesPerService);
  const hosts = withOther ? [hostOf(route), otherHostOf(route)] : [hostOf(route)];
  return seenIngress(namespaceOf(service), `i${route}`, hosts, `s${service}`);
}

/** The Service behind a route, and its slice with one member on this machine. */
export function serviceOf(route: number, port: number): [SeenObject, SeenObject] {
  const service = Math.floor(route / routesPerService);
  const [namespace, name] = [namespaceOf(service), `s${service}`];
  const slice = seenSlice(namespace, name, ["127.0.0.1"]);
  return [seenService(namespace, name), { ...slice, ports: [{ name: "http", port, protocol: "TCP" as const }] }];
}

function namespaceOf(service: number): string {
  return `bench-${service % namespaces}`;
}

/** All Services and Ingresses of so many routes, from `first` on; Services first. */
export function* objectsOf(first: number, routes: number, port: number): Generator<SeenObject> {
  for (let route = first; route < first + routes; route += routesPerService) yield* serviceOf(route, port);
  for (let route = first; route < first + routes; route += 1) yield ingressOf(route);
}

/** Bodies of POST /audit, each as large as a kube-apiserver makes them. */
export function auditBodies(objects: Iterable<SeenObject>, nextVersion: () => number): string[] {
  const bodies: string[] = [];
  let items: unknown[] = [];
  const end = () => {
    if (items.length > 0) bodies.push(JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items }));
    items = [];
  };
  for (const object of objects) {
    items.push(...auditOf(object, nextVersion()).items);
    if (items.length === eventsPerBatch) end();
  }
  end();
  return bodies;
}
