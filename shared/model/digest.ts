/**
 * The digest of everything a balancer's nodes should hold: for each live key SHA-1(key LF hash), taken as five
 * big-endian 32-bit words, summed word by word modulo 2^32. 40 hex digits; nothing at all is all zeros.
 * A sum can be changed key by key, so one change costs one change, however many keys there are.
 */
import { sha1Hex } from "./canonical.ts";

export const emptyDigest = "0".repeat(40);

export function addToDigest(digest: string, key: string, hash: string): string {
  return combine(digest, key, hash, 1);
}

export function removeFromDigest(digest: string, key: string, hash: string): string {
  return combine(digest, key, hash, -1);
}

function combine(digest: string, key: string, hash: string, sign: 1 | -1): string {
  const term = sha1Hex(`${key}\n${hash}`);
  let result = "";
  for (let offset = 0; offset < 40; offset += 8) {
    const sum = wordAt(digest, offset) + sign * wordAt(term, offset);
    result += (sum >>> 0).toString(16).padStart(8, "0");
  }
  return result;
}

function wordAt(hex: string, offset: number): number {
  return Number.parseInt(hex.slice(offset, offset + 8), 16);
}
