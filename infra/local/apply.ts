/**
 * `npm run apply -- FILE… [--delete] [--dry-run] [--url URL]`: sends Kubernetes YAML (`-`: from stdin) through
 * Entrance's webhooks, as an API server would, and prints what became of each object.
 */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Cluster, type Outcome } from "./cluster.ts";
import { ClusterStore } from "./cluster-store.ts";
import { type Manifest, parseManifests } from "./manifest.ts";
import { readRun } from "./run-file.ts";
import { readSettings } from "./settings.ts";
import { Told } from "./told.ts";
import { trustCertificate, webhooks } from "./webhooks.ts";

const usage = "npm run apply -- FILE… [--delete] [--dry-run] [--url URL]     (FILE may be - for stdin)";

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Told)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { files, remove, dryRun, url } = readArguments();
  const settings = readSettings(process.env);
  const manifests = files.flatMap(readManifests);
  mkdirSync(settings.data, { recursive: true, mode: 0o700 });
  const store = new ClusterStore(path.join(settings.data, "cluster.db"));
  // The running `npm start` knows better than this shell's environment where it listens.
  const running = readRun(settings.data);
  const target = url ?? running?.url ?? settings.url;
  const certificate = running?.certificate ?? settings.tls?.certificate;
  if (certificate !== undefined) trustCertificate(certificate);
  const cluster = new Cluster(store, webhooks(target, settings.token), { dryRun });
  let refused = 0;
  for (const manifest of remove ? manifests.reverse() : manifests) {
    const outcomes = remove ? await cluster.delete(manifest) : [await cluster.apply(manifest)];
    for (const outcome of outcomes) print(outcome, dryRun);
    refused += outcomes.filter(({ result }) => result === "refused").length;
  }
  store.close();
  return refused === 0 ? 0 : 1;
}

function readArguments() {
  const options = {
    delete: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
    url: { type: "string" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length === 0) throw new Told(usage);
    if (values.url !== undefined && !URL.canParse(values.url)) throw new Told(`--url ${values.url} is no URL`);
    return { files: positionals, remove: values.delete, dryRun: values["dry-run"], url: values.url };
  } catch (error) {
    throw error instanceof Told ? error : new Told(`${(error as Error).message}\n${usage}`);
  }
}

function readManifests(file: string): Manifest[] {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new Told(`${file} cannot be read (${(error as Error).message})`);
  }
  const parsed = parseManifests(text);
  if (!parsed.ok) throw new Told(`${file === "-" ? "stdin" : file}: ${parsed.reason}`);
  return parsed.manifests;
}

function print({ object, result, message, warnings }: Outcome, dryRun: boolean): void {
  console.log(`${object} ${result}${message === undefined ? "" : `: ${message}`}${dryRun ? " (dry run)" : ""}`);
  for (const warning of warnings) console.log(`  warning: ${warning}`);
}
