/** The Secret that Entrance keeps its own certificate in: whichever copy comes first makes it, the others take it. */
import * as v from "valibot";
import type { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { EntranceError } from "../../shared/model/error.ts";
import { due, firstAuthority, type Kept, withAuthority } from "./kept.ts";

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** So often somebody else may have been first. */
const maxAttempts = 5;

const Secret = v.object({
  metadata: v.object({ resourceVersion: v.string() }),
  data: v.nullish(v.record(v.string(), v.string()), {}),
});

/** What to serve with from now on; whatever was due is made and kept before. */
export async function ensureCertificate(
  objects: KubernetesObjects,
  place: SecretPlace,
  names: readonly string[],
  now: number,
): Promise<Kept> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const found = await readSecret(objects, place);
    if (found === undefined) {
      const sentence = `ENTRANCE_TLS_SECRET names Secret ${place.namespace}/${place.name}, which is not there`;
      throw new EntranceError("misconfigured", sentence);
    }
    const { kept, version, path, what } = found;
    const wanted = due(kept, names, now);
    if (wanted === undefined) return kept as Kept;
    const made = await make(kept, wanted, names, now);
    if ((await objects.merge(path, secretPatch(version, { ...made }), what)) === "done") return made;
  }
  throw new EntranceError("busy", `others write Secret ${place.namespace}/${place.name} all the time`);
}

interface FoundSecret {
  readonly kept: Partial<Kept>;
  readonly version: string;
  readonly path: string;
  readonly what: string;
}

/** Undefined: there is none. */
export async function readSecret(
  objects: KubernetesObjects,
  { namespace, name }: SecretPlace,
): Promise<FoundSecret | undefined> {
  const what = `Secret ${namespace}/${name}`;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  const json = await objects.get(path, what);
  if (json === undefined) return undefined;
  const { metadata, data } = v.parse(Secret, json);
  const kept = Object.fromEntries(
    Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")]),
  ) as Partial<Kept>;
  return { kept, version: metadata.resourceVersion, path, what };
}

/** Of this version and no other: whoever was first has made it. */
export function secretPatch(version: string, kept: Readonly<Record<string, string>>): unknown {
  const data = Object.entries(kept).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return { metadata: { resourceVersion: version }, data: Object.fromEntries(data) };
}

async function make(
  kept: Partial<Kept>,
  wanted: "authority" | "serving",
  names: readonly string[],
  now: number,
): Promise<Kept> {
  // Only who makes something loads what makes it.
  const { makeAuthority, makeServing } = await import("./make.ts");
  const old = { certificate: firstAuthority(kept["ca.crt"] ?? ""), key: kept["ca.key"] ?? "" };
  const authority = wanted === "authority" ? await makeAuthority(now) : old;
  const bundle = wanted === "authority" ? withAuthority(kept, authority.certificate, now) : (kept["ca.crt"] ?? "");
  const next = { ...kept, "ca.crt": bundle, "ca.key": authority.key };
  // A certificate of the authority before is good until its own time has come: by then all trust the new one.
  if (wanted === "authority" && due(next, names, now) === undefined) return next as Kept;
  const serving = await makeServing(authority, names, now);
  return { "ca.crt": bundle, "ca.key": authority.key, "tls.crt": serving.certificate, "tls.key": serving.key };
}
