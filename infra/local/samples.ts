/** The two sample applications: their processes, and their objects in the little cluster. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Cluster } from "./cluster.ts";
import { type Manifest, parseManifests } from "./manifest.ts";
import { answers } from "./probe.ts";
import type { Settings } from "./settings.ts";
import type { Command } from "./supervised.ts";
import { Told } from "./told.ts";

type Name = keyof Settings["samples"];
const names: readonly Name[] = ["shop", "blog"];

export function sampleCommands(ports: Settings["samples"]): Command[] {
  return names.map((name) => ({
    name,
    program: process.execPath,
    args: [fileOf(`${name}.ts`)],
    env: { PATH: process.env["PATH"], PORT: String(ports[name]) },
    isUp: () => answers(`http://127.0.0.1:${ports[name]}/`),
  }));
}

/**
 * Brings the samples' objects into the cluster. What is there already stays as the user has changed it, but for the
 * address of the process, which is ours to say.
 */
export async function sendSamples(cluster: Cluster, ports: Settings["samples"]): Promise<void> {
  for (const name of names) {
    for (const manifest of manifestsOf(name)) {
      const isAddress = manifest.kind === "EndpointSlice";
      if (cluster.has(manifest) && !isAddress) continue;
      const { object, result, message } = await cluster.apply(isAddress ? atPort(manifest, ports[name]) : manifest);
      if (result === "refused") throw new Told(`Entrance refused the sample ${object}: ${message}`);
    }
  }
}

/** Takes the samples out again, where an earlier start has brought them; the namespaces may hold what is not ours. */
export async function removeSamples(cluster: Cluster): Promise<void> {
  const manifests = names.flatMap(manifestsOf).filter(({ kind }) => kind !== "Namespace");
  for (const manifest of manifests.reverse()) {
    if (cluster.has(manifest)) await cluster.delete(manifest);
  }
}

function manifestsOf(name: Name): Manifest[] {
  const parsed = parseManifests(readFileSync(fileOf(`${name}.yaml`), "utf8"));
  if (!parsed.ok) throw new Error(`samples/${name}.yaml ${parsed.reason}`);
  return parsed.manifests;
}

function atPort(slice: Manifest, port: number): Manifest {
  return { ...slice, ports: [{ name: "http", port }] };
}

function fileOf(name: string): string {
  return path.join(import.meta.dirname, "samples", name);
}
