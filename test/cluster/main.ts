/**
 * `npm run test:cluster`: the tests on a real kube-apiserver.
 *
 *   npm run test:cluster                       everything
 *   npm run test:cluster -- hello              only the test files whose path contains this
 */
import path from "node:path";
import { enter } from "./enter.ts";
import { MissingProgram } from "./programs.ts";

try {
  const script = path.join(import.meta.dirname, "inside.ts");
  const stdio = ["inherit", "inherit", "inherit", "ipc"] as const;
  const child = await enter(script, process.argv.slice(2), "npm run test:cluster", [...stdio]);
  child.on("exit", (code) => process.exit(code ?? 1));
} catch (error) {
  if (!(error instanceof MissingProgram)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}
