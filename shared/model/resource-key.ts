/** Keys of the resources that nodes hold: `Kind/segment/…`, percent-encoded per segment. */
import type { OwnerReference } from "./rule.ts";

export const resourceKinds = ["Pool", "Node", "Domain", "VirtualService", "Rule", "Certificate"] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** A Rule's key has two names of 253 characters and one of 63; more than this is none of ours. */
export const maxResourceKeyLength = 1_024;

function key(kind: ResourceKind, ...segments: (string | number)[]): string {
  return [kind, ...segments.map((segment) => encodeURIComponent(String(segment)))].join("/");
}

export function poolKey(namespace: string, service: string, port: number): string {
  return key("Pool", namespace, service, port);
}

/** One list of members for one source; the load balancer joins a Pool's lists. */
export function nodeKey(namespace: string, service: string, port: number, slice: string): string {
  return key("Node", namespace, service, port, slice);
}

export function domainKey(host: string): string {
  return key("Domain", host);
}

export function virtualServiceKey(protocol: "tcp" | "udp", port: number): string {
  return key("VirtualService", protocol, port);
}

/** `number` tells apart the rules of one owner on one domain. */
export function ruleKey(
  domain: string,
  owner: Pick<OwnerReference, "kind" | "namespace" | "name">,
  number: number,
): string {
  return key("Rule", domain, owner.kind, owner.namespace, owner.name, number);
}

export function certificateKey(namespace: string, secret: string): string {
  return key("Certificate", namespace, secret);
}

const segmentCounts: Readonly<Record<ResourceKind, number>> = {
  Pool: 3,
  Node: 4,
  Domain: 1,
  VirtualService: 2,
  Rule: 5,
  Certificate: 2,
};

/** Splits a key into its kind and decoded segments; undefined when it is no key of a resource. */
export function parseResourceKey(text: string): { kind: ResourceKind; segments: string[] } | undefined {
  if (text.length > maxResourceKeyLength) return undefined;
  const [kind, ...segments] = text.split("/");
  const known = resourceKinds.find((name) => name === kind);
  if (known === undefined || segments.length !== segmentCounts[known] || segments.some((part) => part === ""))
    return undefined;
  try {
    const decoded = segments.map(decodeURIComponent);
    return decoded.every((part, index) => encodeURIComponent(part) === segments[index])
      ? { kind: known, segments: decoded }
      : undefined;
  } catch {
    return undefined;
  }
}
