/** One text for one value: JSON with sorted keys, and its SHA-1. Not a signature: it names content, nothing more. */
import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { isSealed } from "./sealed.ts";

/** JSON with object keys in code unit order and without undefined members; arrays keep their order. */
export function canonicalJson(value: unknown): string {
  return render(value, true);
}

function render(value: unknown, withSealed: boolean): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map((each) => render(each, withSealed)).join(",")}]`;
  const members: string[] = [];
  const object = value as Record<string, unknown>;
  for (const name of Object.keys(object).sort()) {
    const member = object[name];
    if (member === undefined || (name === "sealed" && !withSealed && isSealed(object))) continue;
    members.push(`${JSON.stringify(name)}:${render(member, withSealed)}`);
  }
  return `{${members.join(",")}}`;
}

/** 40 hex digits. */
export function sha1Hex(text: string): string {
  return bytesToHex(sha1(utf8ToBytes(text)));
}

/**
 * SHA-1 of the value's canonical JSON, 40 hex digits. Of what is sealed only its print counts, since the same secret
 * sealed anew has another text.
 */
export function contentHash(value: unknown): string {
  return sha1Hex(render(value, false));
}
