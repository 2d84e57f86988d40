/** What is to stand where users look, by what was seen of an object and what became of it. */
import type { Told } from "../kubernetes/status-port.ts";
import { portReference, type Reference, referenceKey } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import { balancerOfLoadBalancer } from "../translate/balancer.ts";
import type { SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";
import { readWant, type Want } from "./want.ts";

/** It stands in an annotation, of which an object has 256 KiB in all. */
const maxRefused = 4_096;

/** `told`: what stands there. What somebody else has written stays, unless it is ours to say. */
export async function toldOf(
  context: Context,
  reference: Reference,
  seen: SeenRecord,
  want: Want,
  told: Told,
): Promise<Told> {
  const addresses = await addressesOf(context, reference, seen, want);
  return {
    uid: seen.uid,
    addresses: addresses.length > 0 || areOurs(context, told.addresses) ? addresses : told.addresses,
    ...(want.reasons.length === 0 ? {} : { refused: want.reasons.join("; ").slice(0, maxRefused) }),
  };
}

export function isTold(told: Told, next: Told): boolean {
  return next.refused === told.refused && String(next.addresses) === String(told.addresses);
}

/**
 * Nobody has to look further at these: they are served and say where, or are none of ours. `balancer`: whose load
 * balancer a Service is.
 */
export function isUsual(
  context: Context,
  kind: "Ingress" | "Service",
  { addresses, refused }: Told,
  balancer: string | undefined,
): boolean {
  if (refused !== undefined) return false;
  if (kind === "Service" && balancer === undefined) return addresses.length === 0 || !areOurs(context, addresses);
  const possible = context.balancers.filter(({ name }) => kind === "Ingress" || name === balancer);
  return possible.some((each) => String(unique(each.addresses)) === String(addresses));
}

async function addressesOf(
  context: Context,
  reference: Reference,
  { object }: SeenRecord,
  want: Want,
): Promise<readonly string[]> {
  const addresses = (names: readonly string[]) =>
    unique(context.balancers.filter(({ name }) => names.includes(name)).flatMap((balancer) => balancer.addresses));
  if (object?.kind === "Ingress") {
    return addresses(Object.keys(want.resources).filter((name) => hasRule(want.resources[name] ?? {})));
  }
  if (object?.kind !== "Service") return [];
  const balancer = balancerOfLoadBalancer(object, context.translation);
  if (balancer === undefined) return [];
  const held = await Promise.all(
    object.ports.map(async ({ protocol, port }) => {
      if (protocol === "SCTP") return false;
      const contest = portReference(balancer, protocol === "TCP" ? "tcp" : "udp", port);
      const { want: of } = await readWant(context.store, contest);
      return of.holding?.type === "port" && of.holding.by === referenceKey(reference);
    }),
  );
  return held.includes(true) ? addresses([balancer]) : [];
}

function areOurs({ balancers }: Context, addresses: readonly string[]): boolean {
  const ours = new Set(balancers.flatMap((balancer) => balancer.addresses));
  return addresses.every((address) => ours.has(address));
}

function unique(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)];
}

function hasRule(resources: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(resources).some((key) => parseResourceKey(key)?.kind === "Rule");
}
