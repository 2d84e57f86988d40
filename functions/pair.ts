/** A certificate and its key, which two settings name. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";
import { readPem } from "./setting-file.ts";

/** The setting's name, and what it says. */
type Half = readonly [string, Pem];

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Throws `misconfigured` where they don't fit: whoever replaces them may have done so with one alone. */
export function readPair(certificate: Half, key: Half): Pair {
  const pair = { certificate: readPem(...certificate), key: readPem(...key) };
  if (fits(pair)) return pair;
  return failSetting(certificate[0], `and ${key[0]} must hold a certificate and its key, without a password, as PEM`);
}

/** A context reads the whole chain, and takes a key of another kind than the certificate's. */
function fits({ certificate, key }: Pair): boolean {
  try {
    createSecureContext({ cert: certificate, key });
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
