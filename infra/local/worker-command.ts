/** Entrance itself, bundled as it would be deployed, in workerd with its state in `.entrance/worker`. */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { bundle } from "../build.ts";
import { nodeUrl } from "./caught-up.ts";
import { ask } from "./probe.ts";
import type { Settings } from "./settings.ts";
import type { Command } from "./supervised.ts";
import { Told } from "./told.ts";

export async function workerCommand(
  { data, url, node, publicHttpsPort }: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Command> {
  const script = path.join(data, "worker.js");
  await bundle("worker", script);
  // miniflare's scratch; a kill -9 leaves it behind.
  const scratch = path.join(data, "tmp");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  return {
    name: "entrance",
    program: process.execPath,
    args: [path.join(import.meta.dirname, "worker-host.ts"), script, path.join(data, "worker")],
    env: {
      ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes: [nodeUrl(node)] }]),
      ENTRANCE_PUBLIC_HTTPS_PORT: String(publicHttpsPort),
      ...environment,
      TMPDIR: scratch,
    },
    isUp: () => isHealthy(`${url}/healthz`),
  };
}

/** A setting that Entrance cannot use keeps its object from being made: workerd then answers 500 with the sentence. */
async function isHealthy(url: string): Promise<boolean> {
  const answer = await ask(url);
  if (answer?.status === 500) throw new Told(/EntranceError: (.*)/.exec(answer.text)?.[1] ?? answer.text);
  return answer?.status === 200;
}
