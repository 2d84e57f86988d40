/**
 * Namespaces of one's own for the network, processes and mounts: nothing is left of what runs in them, however it ends.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder, ensurePrograms, MissingProgram, type Programs } from "./programs.ts";

/** Where the namespace mounts its scratch: empty outside of it, always. */
const scratch = path.join(cacheFolder(), "scratch");

/** What each of them is for stands in unshare(1). */
const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];

/** As their first process: `node SCRIPT SCRATCH PROGRAMS ARGS…`. Throws {@link MissingProgram}. */
export async function enter(
  script: string,
  args: readonly string[],
  command: string,
  stdio: StdioOptions,
): Promise<ChildProcess> {
  const programs = await ensurePrograms();
  checkRights(command);
  mkdirSync(scratch, { recursive: true });
  const child = spawn(
    "unshare",
    [...namespaces, process.execPath, script, scratch, JSON.stringify(programs), ...args],
    { stdio },
  );
  child.on("error", (error) => {
    console.error(
      `\nunshare cannot be started (${error.message}). On Debian and Ubuntu: sudo apt-get install util-linux\n`,
    );
    process.exitCode = 1;
  });
  // Signals and the end of whoever started us go on to it; it ends, and with it all that it has started.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // It is the first process of its namespace, so a signal from outside says nothing to it: the channel does.
    process.on(signal, () => child.connected && child.disconnect());
  }
  process.on("disconnect", () => child.connected && child.disconnect());
  return child;
}

/** Throws {@link MissingProgram}: who may not make namespaces is told what to type, and why. */
export function checkRights(command: string): void {
  if (process.getuid?.() !== 0) throw new MissingProgram(asRoot(command));
  const probe = ["sh", "-c", "mount -t tmpfs tmpfs /run && ip link set lo up"];
  const { error, status, stderr } = spawnSync("unshare", [...namespaces, ...probe], { encoding: "utf8" });
  if (status === 0) return;
  const why = (error?.message ?? stderr).trim();
  throw new MissingProgram(
    `Namespaces can't be made here (${why}). They need unshare, mount and ip (Debian: util-linux, mount, iproute2), ` +
      "and in a container the capability SYS_ADMIN.",
  );
}

export interface Entered {
  readonly scratch: string;
  readonly programs: Programs;
  readonly args: readonly string[];
}

/** What the first process does first. When it ends, the kernel ends all the others, and addresses and scratch are gone. */
export function entered(): Entered {
  const [folder = "", programsJson = "{}", ...args] = process.argv.slice(2);
  // Whoever started us is gone, or wants us to end.
  process.on("disconnect", () => process.exit(130));
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
  mountScratch(folder);
  return { scratch: folder, programs: JSON.parse(programsJson) as Programs, args };
}

/** All that is written lies in memory; what a pod writes below /run, /opt and /var/lib, too. */
function mountScratch(folder: string): void {
  const mount = (...args: readonly string[]) => execFileSync("mount", args, { stdio: "inherit" });
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder);
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run");
  for (const covered of ["/opt", "/var/lib"]) {
    const name = covered.replaceAll("/", "-").slice(1);
    const [upper, work] = [path.join(folder, "overlay", name, "upper"), path.join(folder, "overlay", name, "work")];
    for (const each of [upper, work]) mkdirSync(each, { recursive: true });
    mount("-t", "overlay", "overlay", "-o", `lowerdir=${covered},upperdir=${upper},workdir=${work}`, covered);
  }
  // Names of Services are written into it.
  const hosts = path.join(folder, "hosts");
  copyFileSync("/etc/hosts", hosts);
  mount("--bind", hosts, "/etc/hosts");
  const temporary = path.join(folder, "tmp");
  mkdirSync(temporary);
  process.env["TMPDIR"] = temporary;
  execFileSync("ip", ["link", "set", "lo", "up"], { stdio: "inherit" });
  // As the installation guide says: what the tests' applications listen on is taken by no connection.
  writeFileSync("/proc/sys/net/ipv4/ip_local_reserved_ports", "33000-33999");
}

function asRoot(command: string): string {
  const caches = process.env["XDG_CACHE_HOME"]
    ? ` XDG_CACHE_HOME=${process.env["XDG_CACHE_HOME"]}`
    : ` HOME=${process.env["HOME"]}`;
  return `A network of its own can be made by root alone. Type:\n\n  sudo env PATH="$PATH"${caches} ${command}`;
}
