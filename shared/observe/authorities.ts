/** Certificates of authorities as they stand in a `ca.crt`: what is between them is for people and is left out. */
import { maxCaLength } from "../model/backend-tls.ts";
import type { Parsed } from "../model/parse.ts";

const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----\s*([A-Za-z0-9+/=][A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** The PEM blocks alone. Whether each is a certificate is for nodes to tell. */
export function parseAuthorities(text: string): Parsed<string> {
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0) return { ok: false, reason: "must be certificates of authorities in PEM" };
  if (blocks.some(([, label]) => label !== "CERTIFICATE")) {
    return { ok: false, reason: "must be certificates and nothing else; a private key has no place in it" };
  }
  const texts = blocks.map(([, , body = ""]) => {
    return `-----BEGIN CERTIFICATE-----\n${body.replaceAll("\r\n", "\n").trim()}\n-----END CERTIFICATE-----\n`;
  });
  const value = texts.join("");
  if (value.length > maxCaLength) return { ok: false, reason: `must have at most ${maxCaLength} characters` };
  return { ok: true, value };
}
