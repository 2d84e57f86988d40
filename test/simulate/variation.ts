/** One thing about an object changes and the rest stays, as it does when people edit: a class, a host, a label, a port. */
import { type Content, contentOf, type Extent } from "./objects.ts";
import type { Random } from "./random.ts";
import type { WireObject } from "./wire.ts";

/** From one balancer to another. */
const classes = ["one", "two", "named"];

type Members = Readonly<Record<string, unknown>>;

export function varied(random: Random, extent: Extent, old: WireObject): Content {
  const { kind, apiVersion, metadata, ...rest } = old;
  const { uid: _, resourceVersion: __, labels = {}, annotations = {}, ...named } = metadata;
  const fresh = contentOf(kind, random, extent);
  const content: Content = { ...rest, kind, apiVersion, metadata: { ...named, labels, annotations } };
  const spec = membersOf(old["spec"]);
  if (kind === "Ingress" && random.one(3))
    return { ...content, spec: { ...spec, ingressClassName: random.pick(classes) } };
  // Of a Secret nothing else counts.
  switch (kind === "Secret" ? 2 : random.below(4)) {
    // What a slice belongs to is its name, too.
    case 0:
      return kind === "EndpointSlice" ? content : withMetadata(content, { labels: fresh.metadata.labels ?? {} });
    case 1:
      return withMetadata(content, { annotations: fresh.metadata.annotations ?? {} });
    default:
      return spec === undefined
        ? { ...fresh, metadata: content.metadata }
        : { ...content, spec: oneOf(random, spec, membersOf(fresh["spec"]) ?? {}) };
  }
}

function withMetadata(content: Content, some: Partial<Content["metadata"]>): Content {
  return { ...content, metadata: { ...content.metadata, ...some } };
}

/** One member is that of the other, which may be none. */
function oneOf(random: Random, one: Members, other: Members): Members {
  const name = random.pick([...new Set([...Object.keys(one), ...Object.keys(other)]), ""]);
  const { [name]: _, ...kept } = one;
  return name in other ? { ...kept, [name]: other[name] } : kept;
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null ? (value as Members) : undefined;
}
