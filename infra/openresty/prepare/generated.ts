/** conf/generated/: what nginx starts with before Lua has generated anything, so that no busy port keeps it from starting. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** sockaddr_un's, with its zero. */
const MAX_SOCKET_PATH = 107;
const LONGEST_SOCKET = "/passthrough.sock";

export function writeFirstGeneration(directory: string): void {
  const folder = join(directory, "conf/generated/0");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "https.conf"), "include node/https.conf;\n");
  symlinkSync("0", join(directory, "conf/generated/current"));
}

/** Where nginx listens for itself, cleared of what was there, or undefined where the path is too long for a socket. */
export function socketFolder(directory: string): string | undefined {
  const folder = join(directory, "temp");
  for (const name of ["https.sock", "passthrough.sock", "l4.sock", "listeners.json"])
    rmSync(join(folder, name), { force: true });
  return Buffer.byteLength(folder + LONGEST_SOCKET) <= MAX_SOCKET_PATH ? folder : undefined;
}
