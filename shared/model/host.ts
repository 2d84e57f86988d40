/** Host names as routes use them: `www.shop.example`, `*.shop.example`, or `*` for every host. */
import type { Parsed } from "./parse.ts";

/** RFC 1035 section 2.3.4: 253 characters as text, 63 a label. */
const maxHostLength = 253;
const label = /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$/;

/**
 * Lower-cases and checks a host name. A wildcard stands alone as the first label (Ingress v1); an IP address is
 * no host name (RFC 3986 3.2.2 would read it as one). Underscores are allowed: DNS has them and users do, too.
 */
export function parseHost(text: string): Parsed<string> {
  const host = text.toLowerCase();
  if (host === "*") return { ok: true, value: host };
  if (host.length === 0) return { ok: false, reason: "a host name must not be empty" };
  if (host.length > maxHostLength) return { ok: false, reason: `a host name has at most ${maxHostLength} characters` };
  const labels = (host.startsWith("*.") ? host.slice(2) : host).split(".");
  if (!labels.every((part) => label.test(part))) {
    return {
      ok: false,
      reason:
        "a host name consists of labels of letters, digits and inner hyphens, at most 63 characters each, " +
        "joined by dots; a wildcard is the whole first label",
    };
  }
  if (labels.length > 1 && labels.every((part) => /^[0-9]+$/.test(part))) {
    return { ok: false, reason: "a host name must not be an IP address" };
  }
  return { ok: true, value: host };
}

/** Whether a certificate or TLS entry for `pattern` covers `host` (RFC 6125 6.4.3: a wildcard is one label). */
export function hostCovers(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  if (!pattern.startsWith("*.")) return false;
  const dot = host.indexOf(".");
  return dot > 0 && !host.startsWith("*") && host.slice(dot) === pattern.slice(1);
}
