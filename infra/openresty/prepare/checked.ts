/** Values that become configuration: checked numbers, addresses and names, or a sentence that says what to change. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { adviceOn } from "./named-file.ts";
import { NodeSetupError } from "./setup-error.ts";

export function integer(what: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new NodeSetupError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

export function address(what: string, value: string): string {
  const family = isIP(value);
  if (family === 0 || value.includes("%")) throw new NodeSetupError(`${what} must be an IP address, not ${value}`);
  return family === 6 ? `[${value}]` : value;
}

export function isLoopback(value: string): boolean {
  return value === "::1" || /^127\./.test(value);
}

export function checkKeys(keys: readonly string[]): void {
  if (keys.length < 1 || keys.length > 2) throw new NodeSetupError("a node takes one or two keys");
  for (const key of keys) {
    if (!/^[\x21-\x7e]{16,256}$/.test(key)) {
      throw new NodeSetupError("a key must have 16 to 256 visible ASCII characters and no spaces");
    }
  }
}

export function checkSuffix(suffix: string): string {
  if (suffix !== "" && !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(suffix)) {
    throw new NodeSetupError(`the suffix must be a DNS name in lower case, not ${suffix}`);
  }
  return suffix;
}

// nginx's own search paths end at these characters.
export function checkPath(what: string, value: string): string {
  const path = resolve(value);
  if (/[;?"'\\$\s{}#]/.test(path)) {
    const advice = adviceOn(value);
    throw new NodeSetupError(`${what} needs a path without spaces, quotes and ; ? $ { } # \\${advice}`);
  }
  return path;
}
