/** `npm run build`: one bundle per entry, into dist/. */
import { type BuildOptions, build } from "esbuild";
import { root, wrangler } from "./wrangler.ts";

const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2024",
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
} satisfies BuildOptions;

const entries = {
  /** workerd: no Node, only what the platform itself provides; node:crypto is among it. */
  worker: {
    ...common,
    entryPoints: [wrangler.main],
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:crypto"],
  },
  /** Node 24: etcd3 reads its protocol's files from disk and so stays a package of its own. */
  node: {
    ...common,
    entryPoints: ["functions/node.ts"],
    platform: "node",
    external: ["etcd3"],
    // Packages written as CommonJS ask for `require`, which an ES module does not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  },
  /** What operators do with a store; lies beside `node`. */
  operator: {
    ...common,
    entryPoints: ["functions/operator.ts"],
    platform: "node",
    external: ["etcd3"],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  },
  /** One file, which infra/aws/entrance.yaml takes up as it is. */
  lambda: {
    ...common,
    entryPoints: ["functions/lambda.ts"],
    platform: "node",
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  },
} satisfies Record<string, BuildOptions>;

export type Entry = keyof typeof entries;

const files: Readonly<Record<Entry, string>> = {
  worker: "worker.js",
  node: "node.js",
  operator: "operator.js",
  // A folder of its own: all that is in it is uploaded.
  lambda: "lambda/lambda.mjs",
};

/** Writes the entry's bundle and returns its size in bytes. */
export async function bundle(entry: Entry, outfile = `${root}dist/${files[entry]}`): Promise<number> {
  const result = await build({ ...entries[entry], outfile, metafile: true });
  const outputs = Object.entries(result.metafile.outputs);
  return outputs.find(([name]) => !name.endsWith(".map"))?.[1].bytes ?? 0;
}

if (import.meta.main) {
  for (const entry of Object.keys(entries) as Entry[]) {
    const bytes = await bundle(entry);
    console.log(`dist/${files[entry]}  ${(bytes / 1024).toFixed(0)} KiB`);
  }
}
