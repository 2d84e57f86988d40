/** X.509: an authority of our own, and the certificates that it gives us. Node's crypto reads them and makes none. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

export interface Pair {
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;
/** The audit webhook's kubeconfig names the authority, and nobody but a human changes that. */
const authorityDays = 3_650;
const servingDays = 90;
/** Clocks differ. */
const backdateMs = 3_600_000;

export async function makeAuthority(now: number): Promise<Pair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...(await commonOf(now, authorityDays)),
    name: `CN=entrance webhooks ${new Date(now).toISOString().slice(0, 10)}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}

/** For these DNS names. */
export async function makeServing(
  authority: Pair,
  names: readonly string[],
  now: number,
  days = servingDays,
): Promise<Pair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey("pkcs8", derOf(authority.key), algorithm, false, ["sign"]);
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    ...(await commonOf(now, days)),
    subject: "CN=entrance",
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}

async function commonOf(now: number, days: number) {
  return {
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
      .toString("hex")
      .replace(/^[89a-f]/, "7"),
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + days * dayMs),
    signingAlgorithm: algorithm,
  };
}

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

async function keyPem(key: Key): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function derOf(pem: string): ArrayBuffer {
  const [der] = x509.PemConverter.decode(pem);
  if (der === undefined) throw new Error("a key that is no PEM");
  return der;
}
