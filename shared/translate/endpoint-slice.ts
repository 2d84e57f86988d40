/** EndpointSlice: its members, for each pool of its Service that exists somewhere. */
import { type Member, maxMembers } from "../model/node.ts";
import { nodeKey } from "../model/resource-key.ts";
import type { SeenEndpoint, SeenEndpointSlice } from "../model/seen/endpoint-slice.ts";
import type { SeenService } from "../model/seen/service.ts";
import { Answers } from "./answers.ts";
import { put, type Resources } from "./resources.ts";
import { portsOfPool } from "./service-port.ts";
import { nothing, type Translating, type TranslationSettings } from "./translation.ts";

export function* translateEndpointSlice(slice: SeenEndpointSlice, settings: TranslationSettings): Translating {
  if (slice.service === undefined) return nothing;
  const reference = { kind: "Service", namespace: slice.namespace, name: slice.service } as const;
  const answers = new Answers(yield [{ reference }]);
  const service = answers.service(reference);
  if (service === undefined) return nothing;
  const resources: Resources = {};
  for (const { name: balancer } of settings.balancers) {
    for (const port of answers.of(reference)?.pools?.[balancer] ?? []) {
      const members = membersOf(slice, service, port);
      // A list that is missing is an empty one.
      if (members.length === 0) continue;
      put(resources, balancer, nodeKey(slice.namespace, slice.service, port, slice.name), { members });
    }
  }
  return { ...nothing, resources };
}

/** Each address and port once, in an order that does not depend on the slice's. */
function membersOf(slice: SeenEndpointSlice, service: SeenService, port: number): Member[] {
  const byTarget = new Map<string, Member>();
  for (const number of targetPorts(slice, service, port)) {
    for (const endpoint of slice.endpoints) {
      const member = memberOf(endpoint, number);
      if (member === undefined) continue;
      const key = `${member.address} ${member.port}`;
      const other = byTarget.get(key);
      if (other === undefined || rank(member) > rank(other)) byTarget.set(key, member);
    }
  }
  return [...byTarget.values()].sort(byAddress).slice(0, maxMembers);
}

/** A slice's port belongs to the Service's of the same name (and protocol); its number is the members'. */
function targetPorts(slice: SeenEndpointSlice, service: SeenService, port: number): ReadonlySet<number> {
  const ports = portsOfPool(service, port);
  const isOfPool = (candidate: SeenEndpointSlice["ports"][number]) =>
    ports.some(({ name, protocol }) => name === candidate.name && protocol === candidate.protocol);
  return new Set(slice.ports.filter(isOfPool).map((found) => found.port));
}

/**
 * | terminating | serving | member                        |
 * |-------------|---------|-------------------------------|
 * | no          | any     | active, ready as told         |
 * | yes         | yes     | draining: a last resort       |
 * | yes         | no      | none                          |
 */
function memberOf({ address, ready, serving, terminating }: SeenEndpoint, port: number): Member | undefined {
  if (terminating && !serving) return undefined;
  const state = terminating ? "draining" : "active";
  return { address, port, weight: 1, state, ready: ready && !terminating };
}

function rank(member: Member): number {
  return Number(member.ready) * 2 + Number(member.state === "active");
}

function byAddress(a: Member, b: Member): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port;
}
