/**
 * `npm start [-- --empty]`: everything on this machine. A node, Entrance in workerd, and two sample applications, each
 * a supervised child; state lies in `.entrance/`, and deleting that folder starts afresh.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NodeSetupError } from "../openresty/prepare/setup-error.ts";
import { isCaughtUp } from "./caught-up.ts";
import { Cluster } from "./cluster.ts";
import { ClusterStore } from "./cluster-store.ts";
import { lockFolder } from "./lock.ts";
import { nodeCommand } from "./node-command.ts";
import { portFaults } from "./ports.ts";
import { endOrphans, readRun, removeRun, writeRun } from "./run-file.ts";
import { removeSamples, sampleCommands, sendSamples } from "./samples.ts";
import { readOrMakeSecrets } from "./secrets.ts";
import { readSettings, type Settings } from "./settings.ts";
import { Supervised } from "./supervised.ts";
import { Told } from "./told.ts";
import { trustCertificate, webhooks } from "./webhooks.ts";
import { welcome } from "./welcome.ts";
import { workerCommand } from "./worker-command.ts";

/** So long may the first routes take to appear on the node before we say that something is wrong. */
const routedWithinMs = 15_000;

const empty = readArguments();
const children: Supervised[] = [];
const ending = new AbortController();
const ended = new Promise<void>((resolve) => ending.signal.addEventListener("abort", () => resolve()));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ending.abort());
process.on("disconnect", () => ending.abort()); // who started us is gone
process.stdout.on("error", () => undefined); // a closed terminal is no reason to leave children behind
process.stderr.on("error", () => undefined);

process.exit(await main());

async function main(): Promise<number> {
  try {
    const settings = readSettings(process.env);
    mkdirSync(settings.data, { recursive: true, mode: 0o700 });
    const lock = lockFolder(settings.data);
    if (lock === undefined) throw new Told(alreadyRunning(settings));
    try {
      await Promise.race([run(settings), ended]);
    } finally {
      await Promise.all(children.map((child) => child.stop()));
      removeRun(settings.data);
      lock.release();
    }
    return 0;
  } catch (error) {
    const isTold = error instanceof Told || error instanceof NodeSetupError;
    console.error(isTold ? error.message : error);
    return 1;
  }
}

async function run(settings: Settings): Promise<void> {
  const orphans = await endOrphans(settings.data);
  if (orphans.length > 0) say(`ended what an earlier start had left running: ${orphans.join(", ")}`);
  if (settings.tls !== undefined) trustCertificate(settings.tls.certificate);
  const faults = await portFaults(empty ? settings.ports.filter(({ sample }) => !sample) : settings.ports);
  if (faults.length > 0) throw new Told(faults.join("\n"));

  const environment = { ...readOrMakeSecrets(settings.data), ...process.env };
  const keys = environment.ENTRANCE_NODE_KEY.split(",");
  const commands = [
    nodeCommand(settings, keys, process.env["ENTRANCE_HTTP_SUFFIX"]),
    await workerCommand(settings, environment),
    ...(empty ? [] : sampleCommands(settings.samples)),
  ];
  if (ending.signal.aborted) return;
  const changed = () => note(settings);
  children.push(...commands.map((command) => new Supervised(command, { changed, say })));
  await Promise.all(children.map((child) => child.start()));

  await bringSamples(settings);
  if (!empty) await untilRouted(settings);
  console.log(welcome(settings, !empty));
  await ended;
}

async function bringSamples({ data, samples, url, token }: Settings): Promise<void> {
  const store = new ClusterStore(path.join(data, "cluster.db"));
  const cluster = new Cluster(store, webhooks(url, token));
  await (empty ? removeSamples(cluster) : sendSamples(cluster, samples));
  store.close();
}

async function untilRouted(settings: Settings): Promise<void> {
  const giveUpAt = Date.now() + routedWithinMs;
  while (!(await isCaughtUp(settings).catch(() => false))) {
    if (Date.now() > giveUpAt) return say(`the node does not follow Entrance yet; ${settings.url}/status says why`);
    await sleep(50);
  }
}

/** What a later start must know to clean up if this process is killed. */
function note({ data, url, tls }: Settings): void {
  const entries = children.flatMap(({ name, entry }) => (entry === undefined ? [] : [{ name, ...entry }]));
  try {
    writeRun(data, { supervisor: process.pid, url, certificate: tls?.certificate, children: entries });
  } catch (error) {
    say(`what runs cannot be noted in ${data}: ${(error as Error).message}`); // a full disk, a folder deleted meanwhile
  }
}

function alreadyRunning({ data }: Settings): string {
  const run = readRun(data);
  const who = run === undefined ? "" : ` (process ${run.supervisor}, ${run.url})`;
  const how = run === undefined ? "" : `, or: kill ${run.supervisor}`;
  return `Entrance already runs here${who}. End it with Ctrl-C where it was started${how}`;
}

function readArguments(): boolean {
  try {
    return parseArgs({ options: { empty: { type: "boolean", default: false } } }).values.empty;
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm start [-- --empty]`);
    process.exit(1);
  }
}

function say(line: string): void {
  console.error(`[${new Date().toISOString().slice(11, 19)}] ${line}`);
}
