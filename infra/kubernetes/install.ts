/**
 * Lays out what the image of Entrance has, in one folder: node.js (Entrance itself), operator.js (commands on its store),
 * resync.js and status.js. Beside it, `npm install` puts the one package that is not in the bundle.
 *
 *   node infra/kubernetes/install.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import * as v from "valibot";
import { bundle } from "../build.ts";
import { root } from "../wrangler.ts";

const Package = v.object({ dependencies: v.object({ etcd3: v.string() }) });

export async function installEntrance(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await bundle("node", path.join(folder, "node.js"));
  await bundle("operator", path.join(folder, "operator.js"));
  await build({
    entryPoints: ["resync", "status"].map((name) => path.join(import.meta.dirname, `${name}.ts`)),
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    legalComments: "none",
    logLevel: "warning",
  });
  const { dependencies } = v.parse(Package, JSON.parse(readFileSync(`${root}package.json`, "utf8")));
  const manifest = { private: true, type: "module", dependencies: { etcd3: dependencies.etcd3 } };
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("say where to: node infra/kubernetes/install.ts /opt/entrance");
    process.exit(2);
  }
  await installEntrance(path.resolve(folder));
}
