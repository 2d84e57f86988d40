/** What the Secret holds that Entrance makes for its webhooks, and when it is time for something new in it. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** As the Secret's keys name them. */
export interface Kept {
  /** Whom callers shall trust: the authority that signs now first, then those that it follows. */
  readonly "ca.crt": string;
  readonly "ca.key": string;
  readonly "tls.crt": string;
  readonly "tls.key": string;
}

const dayMs = 86_400_000;
/** A new authority is trusted long before it has to sign: somebody may have to tell kube-apiserver's audit of it. */
const authorityAheadMs = 365 * dayMs;
/** A third of its life. */
const servingAheadMs = 30 * dayMs;

/** What is missing: an authority that signs, or only a certificate of it; undefined: nothing. */
export function due(kept: Partial<Kept>, names: readonly string[], now: number): "authority" | "serving" | undefined {
  const [authority] = authoritiesOf(kept["ca.crt"] ?? "");
  const hasKey = authority !== undefined && fits(authority, kept["ca.key"] ?? "");
  if (!hasKey || authority.validToDate.getTime() - now < authorityAheadMs) return "authority";
  return isGood(kept, kept["ca.crt"] ?? "", names, now) ? undefined : "serving";
}

/** Certificate and key fit each other and these names, one of the authorities signed, and there is time left. */
export function isGood(kept: Partial<Kept>, authorities: string, names: readonly string[], now: number): boolean {
  const serving = read(kept["tls.crt"] ?? "");
  if (serving === undefined || !fits(serving, kept["tls.key"] ?? "")) return false;
  const isSigned = authoritiesOf(authorities).some(
    (each) => serving.checkIssued(each) && serving.verify(each.publicKey),
  );
  const isNamed = names.every((name) => serving.checkHost(name) !== undefined);
  return isSigned && isNamed && serving.validToDate.getTime() - now >= servingAheadMs;
}

/** A new authority before those that are still good: whoever is signed by one of them stays trusted. */
export function withAuthority(kept: Partial<Kept>, certificate: string, now: number): string {
  const good = authoritiesOf(kept["ca.crt"] ?? "").filter((each) => each.validToDate.getTime() > now);
  return [certificate.trim(), ...good.slice(0, 1).map((each) => each.toString().trim()), ""].join("\n");
}

/** Somebody installed anew, with another authority, while those that it serves run on. */
const maxFormer = 2;

/** All authorities of `bundle`, then those that `former` has besides and that are still good: the first two. */
export function withFormer(bundle: string, former: string, now: number): string {
  const own = authoritiesOf(bundle);
  const others = authoritiesOf(former).filter(
    (each) =>
      each.validToDate.getTime() > now && own.every(({ fingerprint256 }) => fingerprint256 !== each.fingerprint256),
  );
  return [...own, ...others.slice(0, maxFormer)].map((each) => `${each.toString().trim()}\n`).join("");
}

/** The one that signs. */
export function firstAuthority(bundle: string): string {
  return authoritiesOf(bundle)[0]?.toString() ?? "";
}

function authoritiesOf(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(read).filter((each) => each !== undefined);
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function fits(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
