/** Who signs for callers of the webhooks that show a certificate instead of a token. */
import { X509Certificate } from "node:crypto";
import type { Pem } from "../pem.ts";
import { failSetting } from "../setting.ts";
import { readPem } from "../setting-file.ts";

/** Throws `misconfigured`: a server passes over what it can't read, and would know fewer callers than it is told. */
export function readClientAuthorities(pem: Pem): string {
  const text = readPem("ENTRANCE_CLIENT_CA", pem);
  const [, ...blocks] = text.split("-----BEGIN ");
  try {
    for (const block of blocks) new X509Certificate(`-----BEGIN ${block}`);
  } catch {
    failSetting("ENTRANCE_CLIENT_CA", "must be PEM certificates that can be read, or name a file of them");
  }
  return text;
}
