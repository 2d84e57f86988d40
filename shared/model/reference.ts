/** The name of an object that something is learnt about: a Kubernetes object, or one that is derived from claims. */

/** Kinds that observers see and store. */
export const seenKinds = ["Namespace", "IngressClass", "Secret", "Service", "EndpointSlice", "Ingress"] as const;
export type SeenKind = (typeof seenKinds)[number];

/**
 * Kinds that exist only as a contest between claims: who holds a host name, a listener's port of a balancer,
 * the place of the default class. They are translated like objects of their own; their inputs are their claims.
 */
export const contestKinds = ["Domain", "Port", "DefaultClass"] as const;
export type ContestKind = (typeof contestKinds)[number];

export type ObjectKind = SeenKind | ContestKind;

/** `namespace` is empty for cluster-wide kinds; a Port's namespace is its balancer and its name `tcp:33061`. */
export interface Reference {
  readonly kind: ObjectKind;
  readonly namespace: string;
  readonly name: string;
}

/** `KIND/NAMESPACE/NAME`, each segment percent-encoded, so that no name can reach out of its segment. */
export function referenceKey(reference: Reference): string {
  return `${reference.kind}/${encodeURIComponent(reference.namespace)}/${encodeURIComponent(reference.name)}`;
}

const kinds: readonly ObjectKind[] = [...seenKinds, ...contestKinds];

/** The inverse of {@link referenceKey}; undefined when the text is no such key. */
export function parseReferenceKey(text: string): Reference | undefined {
  const [first, namespace, name, ...rest] = text.split("/");
  const kind = kinds.find((known) => known === first);
  if (kind === undefined || namespace === undefined || name === undefined || rest.length > 0) return undefined;
  try {
    return { kind, namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) };
  } catch {
    return undefined;
  }
}

/** How people write it in sentences: `Ingress shop/web`, `Domain www.shop.example`. */
export function describeReference(reference: Reference): string {
  return reference.namespace === ""
    ? `${reference.kind} ${reference.name}`
    : `${reference.kind} ${reference.namespace}/${reference.name}`;
}

export function isContest(kind: ObjectKind): kind is ContestKind {
  return contestKinds.some((contest) => contest === kind);
}

/** The contest for being the class of Ingresses that name none. */
export const defaultClass: Reference = { kind: "DefaultClass", namespace: "", name: "" };

/** The contest for a host name. */
export function domainReference(host: string): Reference {
  return { kind: "Domain", namespace: "", name: host };
}

/** Not a contest: what is seen of it. */
export function namespaceReference(name: string): Reference {
  return { kind: "Namespace", namespace: "", name };
}

/** The contest for a listener's port of one balancer. */
export function portReference(balancer: string, protocol: "tcp" | "udp", port: number): Reference {
  return { kind: "Port", namespace: balancer, name: `${protocol}:${port}` };
}
