/** Resources as a node gets them: what is sealed in them is opened, for as long as it takes to send them. */
import { parseResourceKey, type ResourceKind } from "../../model/resource-key.ts";
import { isSealed, type Sealed } from "../../model/sealed.ts";
import type { Resource } from "../port.ts";

/** Undefined: it cannot be opened. */
export type Open = (secret: Sealed) => Promise<string | undefined>;

/** What may be opened in which kind of resource, so that no key ever ends where nodes would show it. */
const fields: Readonly<Partial<Record<ResourceKind, RegExp>>> = {
  Certificate: /^Secret\/[^/]+\/[^/]+\/tls\.key$/,
  Rule: /^Secret\/[^/]+\/[^/]+\/auth%2F[^/]+$/,
};

/**
 * What cannot be opened becomes an empty text: the node rejects that value with a reason and its last usable one serves
 * on. The hash is Entrance's and stays, so that the digest agrees.
 */
export async function opened(resources: readonly Resource[], open: Open): Promise<readonly Resource[]> {
  return Promise.all(resources.map((resource) => openedResource(resource, open)));
}

async function openedResource(resource: Resource, open: Open): Promise<Resource> {
  const kind = parseResourceKey(resource.key)?.kind;
  const field = kind === undefined ? undefined : fields[kind];
  const secrets = field === undefined ? [] : sealedIn(resource.value);
  if (field === undefined || secrets.length === 0) return resource;
  const texts = new Map<string, string>();
  for (const secret of secrets) {
    texts.set(secret.sealed, (field.test(secret.of) ? await open(secret) : undefined) ?? "");
  }
  return { ...resource, value: replaced(resource.value, texts) };
}

function sealedIn(value: unknown): Sealed[] {
  if (typeof value !== "object" || value === null) return [];
  return isSealed(value) ? [value] : Object.values(value).flatMap(sealedIn);
}

function replaced(value: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isSealed(value)) return texts.get(value.sealed) ?? "";
  if (Array.isArray(value)) return value.map((each) => replaced(each, texts));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, texts)]));
}
