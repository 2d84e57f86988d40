/** Who a wire object is and which version of it this is: what every observation needs, whatever the kind. */
import * as v from "valibot";
import { labelName, subdomainName } from "../model/object-name.ts";
import type { SeenReference } from "../model/observation.ts";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { maxResourceVersionDigits, parseResourceVersion } from "../model/position.ts";
import type { WireKind } from "./kind.ts";

export interface Identity {
  readonly reference: SeenReference;
  readonly uid: string;
  /** Absent in the review of a create. */
  readonly resourceVersion?: string;
  /** When it ends or ended, as the apiserver wrote it. */
  readonly deletionTimestamp?: string;
  /** Finalizers hold it, in metadata or in a Namespace's spec. */
  readonly held: boolean;
}

/** A UUID in practice; whatever it is, it is a word. */
export const objectUid = v.pipe(v.string(told.text), v.regex(/^[-.\w]{1,128}$/, "must be a UUID"));

const resourceVersion = v.pipe(
  v.string(told.text),
  v.check(
    (text) => text === "" || parseResourceVersion(text) !== undefined,
    `must be a decimal number of at most ${maxResourceVersionDigits} digits`,
  ),
  v.transform(parseResourceVersion),
);
const finalizers = v.nullish(v.array(v.unknown(), told.list), []);

function identitySchema(name: typeof labelName | typeof subdomainName) {
  return v.object(
    {
      metadata: v.object(
        {
          name,
          namespace: v.nullish(v.union([v.literal(""), labelName], "must be a namespace's name"), ""),
          uid: objectUid,
          resourceVersion: v.nullish(resourceVersion),
          deletionTimestamp: v.nullish(v.pipe(v.string(told.text), v.maxLength(64, "must be a time"))),
          finalizers,
        },
        told.object,
      ),
      spec: v.optional(v.unknown()),
    },
    told.object,
  );
}

const schemas = { label: identitySchema(labelName), subdomain: identitySchema(subdomainName) };
const namespaceSpec = v.object({ finalizers });

/** The one part of a wire object that must be readable before anything can be said of it. */
export function parseIdentity(kind: WireKind, wire: unknown): Parsed<Identity> {
  const parsed = parseWith(schemas[kind.names], wire);
  if (!parsed.ok) return parsed;
  const { metadata, spec } = parsed.value;
  if (kind.namespaced && metadata.namespace === "") return { ok: false, reason: "metadata.namespace: is missing" };
  const inSpec = kind.kind === "Namespace" ? v.safeParse(namespaceSpec, spec) : undefined;
  return {
    ok: true,
    value: {
      reference: { kind: kind.kind, namespace: kind.namespaced ? metadata.namespace : "", name: metadata.name },
      uid: metadata.uid,
      ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
      ...(metadata.deletionTimestamp ? { deletionTimestamp: metadata.deletionTimestamp } : {}),
      held: metadata.finalizers.length > 0 || (inSpec?.success === true && inSpec.output.finalizers.length > 0),
    },
  };
}

/** A reference made of names alone, for hints; an empty name means the whole kind of that namespace. */
export function parseReference(kind: WireKind, namespace: string, name: string): Parsed<SeenReference> {
  const names = kind.names === "label" ? labelName : subdomainName;
  const parsed = parseWith(
    v.object({
      name: v.union([v.literal(""), names], "must be the name of an object"),
      namespace: v.union([v.literal(""), labelName], "must be a namespace's name"),
    }),
    { name, namespace: kind.namespaced ? namespace : "" },
  );
  return parsed.ok ? { ok: true, value: { kind: kind.kind, ...parsed.value } } : parsed;
}
