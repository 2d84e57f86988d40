/** The listeners that the node is told by: the admin API, over TLS where others reach it, and v1's own for a Rainbond. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { address, checkPath, integer, isLoopback } from "./checked.ts";
import { namesFile } from "./named-file.ts";
import { NodeSetupError } from "./setup-error.ts";

export interface AdminTls {
  /** Files; nginx reads them at its start, as whoever starts it. */
  readonly certificate: string;
  readonly key: string;
}

export interface V1Listener {
  /** ADDRESS:PORT */
  readonly listen: string;
  /** Addresses and ranges that may use it: there is no key. */
  readonly allow: readonly string[];
}

const MAX_RANGES = 256;

const FILES = {
  certificate: "the admin API's certificate (ENTRANCE_NODE_ADMIN_CERT)",
  key: "the admin API's key (ENTRANCE_NODE_ADMIN_KEY)",
} as const satisfies AdminTls;

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new NodeSetupError(`${what} ${namesFile(file, "is not there or may not be read")}`);
  }
}

function checkPair({ certificate, key }: AdminTls): void {
  const [chain, secret] = [read(FILES.certificate, certificate), read(FILES.key, key)];
  let fits = false;
  try {
    fits = new X509Certificate(chain).checkPrivateKey(createPrivateKey(secret));
  } catch {
    throw new NodeSetupError(
      `${certificate} and ${key} must hold a certificate and its key, without a password, as PEM`,
    );
  }
  if (!fits) throw new NodeSetupError(`${key} is not the key of the certificate in ${certificate}`);
}

/** Part of the admin API's server. */
export function adminTlsConf(
  bind: string,
  tls: AdminTls | undefined,
): { readonly flag: string; readonly lines: string } {
  if (tls === undefined) {
    if (isLoopback(bind)) return { flag: "", lines: "" };
    throw new NodeSetupError(
      "the admin API needs a certificate where others reach it: name its files (ENTRANCE_NODE_ADMIN_CERT, ENTRANCE_NODE_ADMIN_KEY) or bind it to loopback",
    );
  }
  const files = { certificate: checkPath(FILES.certificate, tls.certificate), key: checkPath(FILES.key, tls.key) };
  checkPair(tls);
  const lines = [
    `ssl_certificate ${files.certificate};`,
    `ssl_certificate_key ${files.key};`,
    "ssl_protocols TLSv1.2 TLSv1.3;",
    "",
  ];
  return { flag: " ssl", lines: lines.join("\n") };
}

function checkRange(text: string): string {
  const [base = "", bits, more] = text.split("/");
  const family = base.includes("%") ? 0 : isIP(base);
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  if (family === 0 || !isMask || more !== undefined) {
    throw new NodeSetupError(`who may use v1 must be an IP address or a range such as 10.0.0.0/24, not ${text}`);
  }
  return text;
}

export interface CheckedV1 {
  readonly at: string;
  readonly port: number;
  readonly allow: readonly string[];
}

export function checkV1({ listen, allow }: V1Listener): CheckedV1 {
  const [, host = "", port = ""] = /^\[?([^[\]]*)\]?:(\d{1,5})$/.exec(listen) ?? [];
  const checked = integer("v1's port", Number(port === "" ? Number.NaN : port), 1, 65_535);
  const at = `${address("v1's address", host)}:${checked}`;
  if (allow.length === 0 || allow.length > MAX_RANGES) {
    throw new NodeSetupError(`v1 has no key: name 1 to ${MAX_RANGES} addresses or ranges that may use it`);
  }
  return { at, port: checked, allow: allow.map(checkRange) };
}

/** Part of http {}: v1's own server, if there is one. Who may use it is told by whoever connects, by nothing in between. */
export function v1Conf(v1: CheckedV1 | undefined): string {
  if (v1 === undefined) return "";
  const allowed = v1.allow.map((range) => `  allow ${range};\n`).join("");
  return `server {\n  listen ${v1.at};\n${allowed}  deny all;\n  include v1.conf;\n}\n`;
}
