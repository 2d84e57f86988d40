/** Who signs for others: certificates as PEM, in a file or as a setting's text. */
import { X509Certificate } from "node:crypto";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";
import { readPem } from "./setting-file.ts";

/** Throws `misconfigured`: TLS passes over what it can't read, and would trust fewer than it is told. */
export function readAuthorities(setting: string, pem: Pem): string {
  const text = readPem(setting, pem);
  const [, ...blocks] = text.split("-----BEGIN ");
  try {
    for (const block of blocks) new X509Certificate(`-----BEGIN ${block}`);
  } catch {
    failSetting(setting, "must be PEM certificates that can be read, or name a file of them");
  }
  return text;
}
