/** Who the workers run as, and how many connections each may hold. */
import { readFileSync, statSync } from "node:fs";
import { NodeSetupError } from "./setup-error.ts";

const CONNECTIONS = 16_384;

// The soft limit can be raised to the hard one and no further.
export function connectionLimit(): number {
  const line = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  const files = line?.[1] === undefined ? Number.POSITIVE_INFINITY : Number(line[1]);
  return Math.max(64, Math.min(CONNECTIONS, Math.floor(files / 2) - 64));
}

function nameOfId(file: string, id: number): string | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  const name = lines.map((line) => line.split(":")).find((fields) => fields[2] === String(id))?.[0];
  return name !== undefined && /^[a-z_][a-z0-9_-]*$/.test(name) ? name : undefined;
}

/** Started as root, workers run as the owner of the state folder; otherwise as whoever starts them. */
export function userLine(stateDirectory: string): string {
  if (process.getuid?.() !== 0) return "";
  const { uid, gid } = statSync(stateDirectory);
  const user = nameOfId("/etc/passwd", uid);
  const group = nameOfId("/etc/group", gid);
  if (user === undefined || group === undefined) {
    throw new NodeSetupError(`${stateDirectory} belongs to a user or group without a name: chown it to one that has`);
  }
  return `user ${user} ${group};\n`;
}
