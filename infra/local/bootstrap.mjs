/**
 * What every npm script runs first: brings what the command needs (npm packages, Node 24, system packages), then runs
 * the given TypeScript file with Node 24. Plain JavaScript that Node 20 can read, and nothing from node_modules, since
 * it works before there is one. When everything is there it takes a few hundredths of a second and no network.
 *
 *   node infra/local/bootstrap.mjs [FILE.ts [ARGUMENT…]]      without a file: set everything up, run nothing
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDynamoDbLocal } from "./setup/dynamodb-local.mjs";
import { Missing } from "./setup/missing.mjs";
import { installNodeModules, nodeProgram } from "./setup/node-modules.mjs";
import { ensureSystem } from "./setup/system-packages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [file, ...args] = process.argv.slice(2);

try {
  installNodeModules(root);
  const node = nodeProgram(root);
  ensureSystem(file);
  if (file === undefined) await ensureDynamoDbLocal(root);
  // Without it some tests fail, and say what to type; the others need not wait for that.
  if (file === "test/run.ts") await ensureDynamoDbLocal(root).catch((error) => console.error(`\n${error.message}\n`));
  if (file === undefined) console.log("Everything is set up. Try: npm start");
  else run(node, file, args);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}

/**
 * The command takes this process's place as well as a child can: its signals, its exit code; and by the channel between
 * them it notices when this process is killed.
 * @param {string} node @param {string} script @param {string[]} scriptArgs
 */
function run(node, script, scriptArgs) {
  // Debian keeps nginx in a folder that is not on every user's PATH; npm scripts have node_modules/.bin first.
  const folders = [path.join(root, "node_modules/.bin"), process.env["PATH"] ?? "", "/usr/sbin", "/sbin"];
  const child = spawn(node, [path.join(root, script), ...scriptArgs], {
    cwd: process.env["INIT_CWD"] ?? process.cwd(),
    env: { ...process.env, PATH: folders.join(path.delimiter) },
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
