/** CPU time of nginx's workers, from /proc: what a request costs, whatever else the machine does meanwhile. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ is 100 on every Linux that Debian supports. */
const ticksPerSecond = 100;

/** Seconds of user and system time of the master's children so far. */
export function workerSeconds(masterPid: number): number {
  let ticks = 0;
  for (const pid of childrenOf(masterPid)) {
    const fields = statOf(String(pid));
    ticks += Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
  }
  return ticks / ticksPerSecond;
}

export function childrenOf(parent: number): number[] {
  const names = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return names.filter((name) => statOf(name)?.[1] === String(parent)).map(Number);
}

/** proc(5): the fields behind the command's name, which may contain anything: state, ppid, …, utime, stime. */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // it has ended meanwhile
  }
}
