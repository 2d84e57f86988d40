/** Keys of TLS session tickets: all workers share them, and a reload keeps them. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

const KEY_BYTES = 80;

/** From 1.23.2 on nginx makes them itself, anew every so often, beside the shared cache of sessions. */
function makesThemItself(command: string): boolean {
  // `nginx -v` speaks on stderr.
  const said = execFileSync("sh", ["-c", '"$0" -v 2>&1', command], { encoding: "utf8" });
  const [, major = 0, minor = 0, patch = 0] = (/\/(\d+)\.(\d+)\.(\d+)/.exec(said) ?? []).map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 1_023_002;
}

export interface Tickets {
  /** Part of a server that ends TLS. */
  readonly conf: string;
  /** What that names, if anything; new at every start. */
  readonly key: Buffer | undefined;
}

export function ticketsOf(command: string, file: string): Tickets {
  if (makesThemItself(command)) return { conf: "", key: undefined };
  return { conf: `ssl_session_ticket_key ${file};\n`, key: randomBytes(KEY_BYTES) };
}
