/** `npm run install-node -- FOLDER`: all that a node needs beside nginx and Node.js, in one folder. The image has the same. */
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const programs = ["entrance-node", "run.sh"];

export async function installNode(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "lua"), { recursive: true, force: true });
  cpSync(join(here, "lua"), join(folder, "lua"), { recursive: true });
  const files = readdirSync(here).filter((name) => name.endsWith(".conf") || name.endsWith(".service"));
  for (const name of [...files, ...programs]) cpSync(join(here, name), join(folder, name));
  for (const name of programs) chmodSync(join(folder, name), 0o755);
  await build({
    entryPoints: [join(here, "main.ts")],
    outfile: join(folder, "prepare.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "none",
    logLevel: "warning",
  });
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("say where to: npm run install-node -- /opt/entrance-node");
    process.exit(2);
  }
  await installNode(resolve(folder));
  console.log(`installed in ${resolve(folder)}; run ${join(resolve(folder), "entrance-node")}`);
}
