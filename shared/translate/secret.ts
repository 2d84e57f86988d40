/** Secret: its certificate, on the balancers where somebody uses it. Users are read by whoever asks for them. */
import type { KeptCertificate } from "../model/certificate.ts";
import { certificateKey } from "../model/resource-key.ts";
import { type Sealed, sealKeyOf } from "../model/sealed.ts";
import type { SeenSecret } from "../model/seen/secret.ts";
import { remark } from "./problem.ts";
import { put, type Resources } from "./resources.ts";
import type { ClaimOfUser, Problem, Translation, TranslationSettings } from "./translation.ts";

export function translateSecret(
  secret: SeenSecret,
  claims: readonly ClaimOfUser[],
  settings: TranslationSettings,
): Translation {
  const problems: Problem[] = [...secret.problems];
  const sealed = [secret.certificate?.key, ...(secret.users ?? []).map(({ hash }) => hash)];
  if (sealed.some((each) => each !== undefined && usable(each, settings) === "")) problems.push(lost);
  const balancers = settings.balancers.filter(({ name }) =>
    claims.some(({ claim }) => claim.type === "certificate" && claim.balancers.includes(name)),
  );
  const certificate = certificateOf(secret, settings);
  // What was good last stays where it is used.
  if (certificate === undefined) return { resources: {}, problems, failed: balancers.length > 0 };
  const resources: Resources = {};
  const key = certificateKey(secret.namespace, secret.name);
  for (const { name } of balancers) put(resources, name, key, certificate);
  return { resources, problems, failed: false };
}

const lost = remark(
  "what is secret in it was sealed with an ENTRANCE_SEAL_KEY that is not set any more: set that one, too, behind the " +
    "present one and a comma, or send the Secret again",
);

function certificateOf({ certificate }: SeenSecret, settings: TranslationSettings): KeptCertificate | undefined {
  if (certificate?.key === undefined) return undefined;
  const { chain, key, names, notAfter } = certificate;
  return { chain, key: usable(key, settings), names: [...names], notAfter };
}

/**
 * Empty: no key that is set opens it. A node rejects that, and its last usable value serves on; and since it is another
 * value, the node hears of it when the key is back.
 */
export function usable(secret: Sealed, { sealKeys = [] }: TranslationSettings): Sealed | "" {
  return sealKeys.includes(sealKeyOf(secret)) ? secret : "";
}
