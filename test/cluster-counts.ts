/** The tests on a real kube-apiserver as part of `npm test`, where its programs are built, or can be in time. */
import { spawn } from "node:child_process";
import path from "node:path";
import { checkRights } from "./cluster/enter.ts";
import { ensurePrograms, MissingProgram } from "./cluster/programs.ts";
import { type Counts, readCounts } from "./counts.ts";

/** On two cores it takes 14 minutes; all of `npm test` is to take less than an hour. */
const buildMs = 25 * 60_000;

/** They are left out, with the reason, where Go, root's rights or the network for the build are missing. */
export async function countCluster(): Promise<Counts> {
  try {
    checkRights("npm run test:cluster");
    await ensurePrograms(AbortSignal.timeout(buildMs));
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    console.log(`\nThe tests on a cluster are left out.\n${error.message}\n`);
    return { passed: 0, failed: 0 };
  }
  return run();
}

function run(): Promise<Counts> {
  const script = path.join(import.meta.dirname, "cluster/main.ts");
  // Its end follows ours by the channel, as with npm run test:cluster.
  const child = spawn(process.execPath, [script], { stdio: ["inherit", "pipe", "inherit", "ipc"] });
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    said = (said + chunk.toString()).slice(-maxKept);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const counts = readCounts(said);
      const isLost = counts === undefined || (code !== 0 && counts.failed === 0);
      resolve(isLost ? { passed: counts?.passed ?? 0, failed: 1 } : counts);
    });
  });
}

/** The line of counts is the last one. */
const maxKept = 4_096;
