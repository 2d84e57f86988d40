/** What the time says of a certificate. It is no part of a translation, since nothing is translated when time passes. */
import type { SeenSecret } from "../model/seen/secret.ts";
import type { Problem } from "../translate/translation.ts";

/** Whoever renews in time does so earlier: of ninety days with thirty left. */
const soonMs = 14 * 24 * 3_600_000;

/** A warning; whoever sends it may know better. */
export function ageProblem({ certificate }: Pick<SeenSecret, "certificate">, now: number): Problem | undefined {
  if (certificate === undefined) return undefined;
  const sentence = ageOf(certificate, now);
  return sentence === undefined ? undefined : { sentence, deny: false };
}

function ageOf({ notBefore, notAfter }: NonNullable<SeenSecret["certificate"]>, now: number): string | undefined {
  const end = Date.parse(notAfter);
  if (end <= now) return `the certificate expired at ${notAfter}: send a new one`;
  if (Date.parse(notBefore) > now) return `the certificate is not valid before ${notBefore}`;
  return end - now < soonMs ? `the certificate expires soon, at ${notAfter}: send a new one` : undefined;
}
