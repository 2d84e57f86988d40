/** `npm run check`: format, lint, types, dead code, the direction of imports, mutants, and the Lua; all side by side. */
import { spawn } from "node:child_process";
import { root } from "./wrangler.ts";

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What to type when the program itself is missing. */
  readonly install?: string;
  /** `npm test` has it among the others. */
  readonly isTest?: true;
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

export const checks: readonly Check[] = [
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "--max-diagnostics=50"] },
  { name: "types", command: ["tsc"] },
  { name: "types of the pure rooms", command: ["tsc", "--project", "shared/tsconfig.pure.json"] },
  { name: "types of the worker", command: ["tsc", "--project", "functions/tsconfig.worker.json"] },
  {
    name: "dead code",
    command: ["knip", "--config", "infra/knip.jsonc", "--no-progress", "--treat-config-hints-as-errors"],
  },
  {
    name: "direction of imports, and mutants",
    command: [
      "vitest",
      "run",
      "--config",
      "test/vitest.config.ts",
      "test/architecture.test.ts",
      "test/simulate/mutation.test.ts",
    ],
    isTest: true,
  },
  {
    name: "Lua",
    command: ["luacheck", "--no-color", "--quiet", "--no-config", "--std=ngx_lua", "infra/openresty/lua"],
    install: "npm run setup",
  },
];

export async function runChecks(which: readonly Check[]): Promise<CheckResult[]> {
  return Promise.all(which.map(runCheck));
}

export function report(results: readonly CheckResult[]): void {
  for (const { name, passed, output } of results) {
    if (!passed) console.log(`\n✗ ${name}\n\n${output.trim()}`);
  }
}

function runCheck({ name, command: [program, ...args], install }: Check): Promise<CheckResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => {
      const advice = install === undefined ? "" : ` Type: ${install}`;
      resolve({ name, passed: false, output: `${program} cannot be started (${error.message}).${advice}` });
    });
    child.on("close", (code) => resolve({ name, passed: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

if (import.meta.main) {
  const results = await runChecks(checks);
  report(results);
  const failed = results.filter(({ passed }) => !passed);
  const names = failed.length === 0 ? results.map(({ name }) => name) : failed.map(({ name }) => name);
  console.log(
    `\n${failed.length === 0 ? "All checks passed" : `${failed.length} of ${results.length} failed`}: ${names.join(", ")}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}
