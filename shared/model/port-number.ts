/** TCP and UDP port numbers: 1 to 65535 (RFC 6335 section 6; 0 is reserved). */
import * as v from "valibot";
import type { Parsed } from "./parse.ts";

const message = "a port is a whole number from 1 to 65535";

export const portNumber = v.pipe(
  v.number(message),
  v.integer(message),
  v.minValue(1, message),
  v.maxValue(65535, message),
);

export function parsePortNumber(text: string): Parsed<number> {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? { ok: true, value: port } : { ok: false, reason: message };
}
