/** What Linux says about processes: who is who, who belongs together, who listens where. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  /** The process group: for a child of ours the pid of its first process. */
  readonly group: number;
  readonly session: number;
  /** In clock ticks since boot; with the pid it names one process for good. */
  readonly startTime: string;
}

/** The process, unless it is gone or a zombie that only waits for its parent to notice. */
export function processOf(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc_pid_stat(5); the command in parentheses may contain anything, so the fields are counted from the last one.
  const [state, , group, session, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTime = rest[15];
  if (state === undefined || state === "Z" || state === "X" || startTime === undefined) return undefined;
  return { pid, group: Number(group), session: Number(session), startTime };
}

export function membersOf(group: number): ProcessEntry[] {
  return pids()
    .map(processOf)
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.group === group);
}

/** A boot's name: pids and start times of another boot say nothing. */
export function bootId(): string {
  return read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** Who listens on a TCP port, if we may know: `nginx (process 1234)`. */
export function listenerOf(port: number): string | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pid = pids().find((each) => socketInodes(each).some((inode) => inodes.has(inode)));
  if (pid === undefined) return undefined;
  return `${read(`/proc/${pid}/comm`)?.trim() ?? "a process"} (process ${pid})`;
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const listen = "0A";
  return (read(table) ?? "").split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    return local?.endsWith(wanted) && state === listen && inode !== undefined ? [inode] : [];
  });
}

function socketInodes(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return []; // another user's process, or gone
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
