/** A Secret that somebody else serves with: filled in by our authority, and left alone while what it has is good. */
import type { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { EntranceError } from "../../shared/model/error.ts";
import { firstAuthority, isGood, type Kept, withFormer } from "./kept.ts";
import { readSecret, type SecretPlace, secretPatch } from "./secret.ts";

/** Whoever has it mounted reads it when it starts: it is to last longer than that runs. */
const days = 3_650;

/** Returns whom to trust there: ourselves, and who signed before for those that have not started anew. */
export async function issue(
  objects: KubernetesObjects,
  place: SecretPlace,
  names: readonly string[],
  kept: Kept,
  now: number,
): Promise<string> {
  const found = await readSecret(objects, place);
  if (found === undefined) {
    const sentence = `ENTRANCE_NODE_TLS_SECRET names Secret ${place.namespace}/${place.name}, which is not there`;
    throw new EntranceError("misconfigured", sentence);
  }
  const trusted = withFormer(kept["ca.crt"], found.kept["ca.crt"] ?? "", now);
  const isOld = !isGood(found.kept, kept["ca.crt"], names, now);
  if (!isOld && found.kept["ca.crt"] === trusted) return trusted;
  const { makeServing } = await import("./make.ts");
  const pair = isOld
    ? await makeServing({ certificate: firstAuthority(kept["ca.crt"]), key: kept["ca.key"] }, names, now, days)
    : { certificate: found.kept["tls.crt"] ?? "", key: found.kept["tls.key"] ?? "" };
  const next = { "ca.crt": trusted, "tls.crt": pair.certificate, "tls.key": pair.key };
  // In a conflict somebody else has just done the same.
  await objects.merge(found.path, secretPatch(found.version, next), found.what);
  return trusted;
}
