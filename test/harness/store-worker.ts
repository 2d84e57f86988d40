/** A worker of test/store/ in a real workerd. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare, type WorkerOptions } from "miniflare";
import { wrangler } from "../../infra/wrangler.ts";

export async function startStoreWorker(file: string, options: Partial<WorkerOptions>): Promise<Miniflare> {
  const entry = fileURLToPath(new URL(`../store/${file}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    write: false,
  });
  const workerd = new Miniflare({
    cf: false,
    modules: true,
    script: outputFiles.map(({ text }) => text).join(""),
    compatibilityDate: wrangler.compatibility_date,
    ...(options as object),
  });
  await workerd.ready;
  return workerd;
}
