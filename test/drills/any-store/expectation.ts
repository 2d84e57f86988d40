/** What nodes must have, worked out from the objects of the cluster and nothing else but who came first to a name. */
import { contentHash } from "../../../shared/model/canonical.ts";
import { addToDigest, emptyDigest } from "../../../shared/model/digest.ts";
import { contestKinds, parseReferenceKey, seenKinds } from "../../../shared/model/reference.ts";
import type { SeenObject } from "../../../shared/model/seen/object.ts";
import { wireKindNamed } from "../../../shared/observe/kind.ts";
import { wantPartition } from "../../../shared/reconcile/keys.ts";
import { readWant, type Want } from "../../../shared/reconcile/want.ts";
import { entriesOf } from "../../../shared/store/entries.ts";
import type { Store } from "../../../shared/store/port.ts";
import { usualTranslation } from "../../harness/entrance.ts";
import { usualSecrets } from "../../harness/secrets.ts";
import { Expected } from "../../simulate/oracle/expected.ts";
import type { WireObject } from "../../simulate/wire.ts";

const [{ name: balancer }] = usualTranslation.balancers;

export interface Expectation {
  /** By key. */
  readonly resources: ReadonlyMap<string, unknown>;
  readonly digest: string;
  /** Sentences: in what the store's wants differ from it. */
  readonly differences: readonly string[];
}

/** While nothing is written. */
export async function expectationOf(objects: ReadonlyMap<string, WireObject>, store: Store): Promise<Expectation> {
  const wants = await wantsOf(store);
  const resources = new Expected(await seenOf(objects), wants, usualTranslation).resources(balancer);
  let digest = emptyDigest;
  for (const [key, value] of resources) digest = addToDigest(digest, key, contentHash(value));
  return { resources, digest, differences: differencesOf(resources, wants) };
}

async function seenOf(objects: ReadonlyMap<string, WireObject>): Promise<Map<string, SeenObject>> {
  const seen = new Map<string, SeenObject>();
  for (const [key, wire] of objects) {
    const group = wire.apiVersion.includes("/") ? wire.apiVersion.split("/")[0] : "";
    const parsed = wireKindNamed(group ?? "", wire.kind)?.trim(wire, { prefix: usualTranslation.prefix });
    if (parsed?.ok !== true) throw new Error(`${key} is no object that can be used`);
    const { value } = parsed;
    seen.set(key, value.kind === "SentSecret" ? await usualSecrets.keeper.keep(value) : value);
  }
  return seen;
}

async function wantsOf(store: Store): Promise<Map<string, Want>> {
  const wants = new Map<string, Want>();
  for (const kind of [...seenKinds, ...contestKinds]) {
    for await (const entry of entriesOf(store, wantPartition(kind))) {
      const key = `${kind}/${entry.key.sort}`;
      const reference = parseReferenceKey(key);
      if (reference !== undefined) wants.set(key, (await readWant(store, reference)).want);
    }
  }
  return wants;
}

function differencesOf(resources: ReadonlyMap<string, unknown>, wants: ReadonlyMap<string, Want>): string[] {
  const differences: string[] = [];
  const wanted = new Map<string, string>();
  for (const [of, want] of wants) {
    for (const [key, { hash, value }] of Object.entries(want.resources[balancer] ?? {})) {
      wanted.set(key, hash);
      if (!resources.has(key)) differences.push(`${of} wants ${key}, which nothing asks for`);
      else if (contentHash(resources.get(key)) !== hash)
        differences.push(`${of} wants ${key} as ${told(value)} instead of ${told(resources.get(key))}`);
    }
  }
  for (const key of resources.keys()) if (!wanted.has(key)) differences.push(`${key} is missing`);
  return differences;
}

function told(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(/"sealed":"[^"]*"/g, '"sealed":"…"')
    .slice(0, 2_000);
}
