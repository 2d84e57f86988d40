/**
 * Inside the namespaces, as their first process: when it ends, the kernel ends all the others, and the addresses and the
 * scratch are gone with them.
 *
 *   node inside.ts SCRATCH PROGRAMS [FILTER…]
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { startVitest } from "vitest/node";
import { startField } from "./field.ts";
import type { Programs } from "./programs.ts";

const [scratch = "", programsJson = "{}", ...filters] = process.argv.slice(2);

// Whoever started us is gone, or wants us to end.
process.on("disconnect", () => process.exit(130));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

mountScratch();
const begun = performance.now();
const field = await startField(scratch, JSON.parse(programsJson) as Programs);
console.log(`A cluster is up after ${((performance.now() - begun) / 1000).toFixed(1)} s.`);

const vitest = await startVitest("test", filters, {
  config: path.join(import.meta.dirname, "vitest.config.ts"),
  watch: false,
  provide: { field: field.facts },
});
const modules = vitest.state.getTestModules();
const isGood =
  modules.length > 0 && modules.every((module) => module.ok()) && vitest.state.getUnhandledErrors().length === 0;
await vitest.close();
process.exit(isGood ? 0 : 1);

/** All that is written lies in memory; what a pod writes below /run, /opt and /var/lib, too. */
function mountScratch(): void {
  const mount = (...args: readonly string[]) => execFileSync("mount", args, { stdio: "inherit" });
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", scratch);
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run");
  for (const folder of ["/opt", "/var/lib"]) {
    const name = folder.replaceAll("/", "-").slice(1);
    const [upper, work] = [path.join(scratch, "overlay", name, "upper"), path.join(scratch, "overlay", name, "work")];
    for (const each of [upper, work]) mkdirSync(each, { recursive: true });
    mount("-t", "overlay", "overlay", "-o", `lowerdir=${folder},upperdir=${upper},workdir=${work}`, folder);
  }
  // Names of Services are written into it.
  const hosts = path.join(scratch, "hosts");
  copyFileSync("/etc/hosts", hosts);
  mount("--bind", hosts, "/etc/hosts");
  const temporary = path.join(scratch, "tmp");
  mkdirSync(temporary);
  process.env["TMPDIR"] = temporary;
  execFileSync("ip", ["link", "set", "lo", "up"], { stdio: "inherit" });
}
