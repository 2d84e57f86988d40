/**
 * `npm run test:cluster`: the tests on a real kube-apiserver, in namespaces of their own for the network, processes and
 * mounts, so that nothing is left of them however they end.
 *
 *   npm run test:cluster                       everything
 *   npm run test:cluster -- hello              only the test files whose path contains this
 */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { cacheFolder, ensurePrograms, MissingProgram } from "./programs.ts";

/** Where the namespace mounts its scratch: empty outside of it, always. */
const scratch = path.join(cacheFolder(), "scratch");

/** What each of them is for stands in unshare(1). */
const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];

try {
  const programs = await ensurePrograms();
  if (process.getuid?.() !== 0) throw new MissingProgram(asRoot());
  mkdirSync(scratch, { recursive: true });
  runInside([path.join(import.meta.dirname, "inside.ts"), scratch, JSON.stringify(programs), ...process.argv.slice(2)]);
} catch (error) {
  if (!(error instanceof MissingProgram)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}

/** Signals and the end of whoever started us go on to it; it ends, and with it all that it has started. */
function runInside(args: readonly string[]): void {
  const child = spawn("unshare", [...namespaces, process.execPath, ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  child.on("error", (error) => {
    console.error(
      `\nunshare cannot be started (${error.message}). On Debian and Ubuntu: sudo apt-get install util-linux\n`,
    );
    process.exitCode = 1;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // It is the first process of its namespace, so a signal from outside says nothing to it: the channel does.
    process.on(signal, () => child.connected && child.disconnect());
  }
  process.on("disconnect", () => child.connected && child.disconnect());
  child.on("exit", (code) => process.exit(code ?? 1));
}

function asRoot(): string {
  const caches = process.env["XDG_CACHE_HOME"]
    ? ` XDG_CACHE_HOME=${process.env["XDG_CACHE_HOME"]}`
    : ` HOME=${process.env["HOME"]}`;
  return `A network of its own can be made by root alone. Type:\n\n  sudo env PATH="$PATH"${caches} npm run test:cluster`;
}
