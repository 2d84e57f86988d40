/** Looks at certificates and keys by node:crypto, which Node and workerd both have. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { parseHost } from "../model/host.ts";
import type { Inspection } from "./inspection.ts";
import { pemBlocks } from "./pem.ts";

/** A longer chain is a bundle of authorities that came here by mistake. */
const maxCertificates = 16;
const maxNames = 500;
const minRsaBits = 2_048;
const curves: readonly unknown[] = ["prime256v1", "secp384r1"];

export function inspect(chain: string, key: string): Inspection {
  const certificates = certificatesIn(chain);
  if (typeof certificates === "string") return refuse(`tls.crt ${certificates}`);
  const privateKey = keyIn(key);
  if (typeof privateKey === "string") return refuse(`tls.key ${privateKey}`);
  const [leaf] = certificates;
  if (leaf === undefined || !isKeyOf(privateKey.key, leaf.certificate)) {
    const isElsewhere = certificates.some(({ certificate }) => isKeyOf(privateKey.key, certificate));
    return refuse(
      isElsewhere
        ? "tls.crt is in the wrong order: the certificate of tls.key comes first, then the one that signed it"
        : "tls.key is not the key of the first certificate in tls.crt: send those that belong together",
    );
  }
  const unfit = unfitness(privateKey.key);
  if (unfit !== undefined) return { ok: false, sentence: unfit, deny: false };
  return {
    ok: true,
    certificate: {
      chain: `${certificates.map(({ text }) => text).join("\n")}\n`,
      names: namesOf(leaf.certificate),
      notBefore: timeOf(leaf.certificate.validFrom),
      notAfter: timeOf(leaf.certificate.validTo),
    },
    key: `${privateKey.text}\n`,
  };
}

function refuse(sentence: string): Inspection {
  return { ok: false, sentence, deny: true };
}

function certificatesIn(chain: string): string | { readonly text: string; readonly certificate: X509Certificate }[] {
  const blocks = pemBlocks(chain).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0) return "has no certificate in PEM (-----BEGIN CERTIFICATE-----)";
  if (blocks.length > maxCertificates) return `has more than ${maxCertificates} certificates`;
  const certificates = [];
  for (const [index, { text }] of blocks.entries()) {
    try {
      certificates.push({ text, certificate: new X509Certificate(text) });
    } catch {
      return `cannot be read: certificate ${index + 1} of ${blocks.length} is damaged`;
    }
  }
  return certificates;
}

/** `openssl ecparam` writes the curve before the key; only the key is taken. */
function keyIn(key: string): string | { readonly text: string; readonly key: KeyObject } {
  const blocks = pemBlocks(key).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const [block] = blocks;
  if (block === undefined) return "has no private key in PEM (-----BEGIN PRIVATE KEY-----)";
  if (blocks.length > 1) return "has more than one private key";
  if (block.label === "ENCRYPTED PRIVATE KEY" || block.text.includes("Proc-Type: 4,ENCRYPTED")) {
    return "is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN), since nobody is there to type its password";
  }
  try {
    return { text: block.text, key: createPrivateKey(block.text) };
  } catch {
    return "cannot be read: the key is damaged, or of a kind that is not known";
  }
}

/** `checkPrivateKey` always says no in workerd, so the public keys are compared as they are written (RFC 5280, 4.1.2.7). */
function isKeyOf(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return publicOf(createPublicKey(key)).equals(publicOf(certificate.publicKey));
  } catch {
    return false;
  }
}

function publicOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** It may serve somebody else well, so it is no reason to refuse the Secret. */
function unfitness(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    return modulusLength >= minRsaBits
      ? undefined
      : `the key has ${modulusLength} bits: browsers want at least ${minRsaBits} of an RSA key`;
  }
  if (key.asymmetricKeyType === "ec" && curves.includes(namedCurve)) return undefined;
  return "no browser takes a key of this kind: use RSA, or ECDSA on P-256 or P-384";
}

/** The subject's alternative names; of a certificate that has none of a host, the common name. */
function namesOf(certificate: X509Certificate): string[] {
  // Names with commas come in quotes, as JSON has them; none of a host is among those.
  const plain = (certificate.subjectAltName ?? "").replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
  const alternatives = plain.split(", ").flatMap((part) => {
    return part.startsWith("DNS:") ? [part.slice("DNS:".length)] : [];
  });
  const common = /^CN=(.*)$/m.exec(certificate.subject ?? "")?.[1];
  const written = alternatives.length > 0 || common === undefined ? alternatives : [common];
  const names = written.flatMap((name) => {
    const host = parseHost(name);
    return host.ok && host.value !== "*" ? [host.value] : [];
  });
  return [...new Set(names)].slice(0, maxNames);
}

/** `Nov 19 10:21:40 2036 GMT`, which is what both hosts have. */
function timeOf(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? "1970-01-01T00:00:00Z" : time.toISOString().replace(/\.\d+Z$/, "Z");
}
