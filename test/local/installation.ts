/** A whole `npm start` of its own: free ports, a folder of its own, and what a test may do to its processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { membersOf } from "../../infra/local/process-table.ts";
import { readRun } from "../../infra/local/run-file.ts";
import { freePorts } from "../harness/free-ports.ts";

const bootstrap = path.join(import.meta.dirname, "../../infra/local/bootstrap.mjs");

const portSettings = [
  "ENTRANCE_NODE_HTTP_PORT",
  "ENTRANCE_NODE_HTTPS_PORT",
  "ENTRANCE_NODE_ADMIN_PORT",
  "ENTRANCE_NODE_HEALTH_PORT",
  "ENTRANCE_NODE_WAITING_PORT",
  "ENTRANCE_SAMPLE_SHOP_PORT",
  "ENTRANCE_SAMPLE_BLOG_PORT",
] as const;

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

export class Installation {
  readonly data = mkdtempSync(path.join(tmpdir(), "entrance-local-"));
  readonly env: Record<string, string>;
  readonly #started: Started[] = [];

  private constructor(ports: readonly number[]) {
    const named = portSettings.map((name, index) => [name, String(ports[index])]);
    this.env = {
      PATH: process.env["PATH"] ?? "",
      ENTRANCE_DATA: this.data,
      ENTRANCE_LISTEN: `127.0.0.1:${ports[portSettings.length]}`,
      ENTRANCE_NODE_WORKERS: "2",
      ...Object.fromEntries(named),
    };
  }

  static async make(): Promise<Installation> {
    return new Installation(await freePorts(portSettings.length + 1));
  }

  get url(): string {
    return `http://${this.env["ENTRANCE_LISTEN"]}`;
  }

  /** Starts, and returns when it says that it runs, or with what it said instead. */
  async start(...args: string[]): Promise<Started> {
    const started = this.#spawn("infra/local/start.ts", args);
    await started.says(/Entrance is running/);
    return started;
  }

  /** The same by `npm start`, with npm's own process for what a terminal knows. */
  async startByNpm(...args: string[]): Promise<Started> {
    const root = path.join(import.meta.dirname, "../..");
    const started = new Started(spawn("npm", ["start", "--", ...args], { cwd: root, env: this.env }));
    this.#started.push(started);
    await started.says(/Entrance is running/);
    return started;
  }

  /** Runs a command to its end. */
  async run(file: string, args: readonly string[], input = ""): Promise<Ran> {
    const started = this.#spawn(file, args);
    started.child.stdin?.end(input);
    const code = await started.ended;
    return { code, output: started.output };
  }

  #spawn(file: string, args: readonly string[]): Started {
    const started = new Started(spawn(process.execPath, [bootstrap, file, ...args], { env: this.env }));
    this.#started.push(started);
    return started;
  }

  /** The processes that run now, by the name of the group that they belong to. */
  pids(name: string): number[] {
    const group = readRun(this.data)?.children.find((child) => child.name === name)?.pid;
    return group === undefined ? [] : membersOf(group).map(({ pid }) => pid);
  }

  get supervisor(): number {
    const run = readRun(this.data);
    if (run === undefined) throw new Error("nothing runs here");
    return run.supervisor;
  }

  get groups(): number[] {
    return readRun(this.data)?.children.map(({ pid }) => pid) ?? [];
  }

  /** What the node answers for a host: the status and the body. */
  async ask(host: string): Promise<string> {
    const port = Number(this.env["ENTRANCE_NODE_HTTP_PORT"]);
    try {
      const request = get({ port, host: "127.0.0.1", headers: { host }, agent: false, timeout: 2_000 });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      return `${response.statusCode} ${await text(response)}`;
    } catch (error) {
      return `no answer (${(error as Error).message})`;
    }
  }

  /** Ends whatever of it still runs, however its test went, and leaves nothing. */
  async remove(): Promise<void> {
    const { groups } = this;
    for (const started of this.#started) await started.stop("SIGTERM");
    for (const group of groups) if (membersOf(group).length > 0) process.kill(-group, "SIGKILL");
    rmSync(this.data, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Started {
  output = "";
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on("data", (chunk) => {
      this.output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      this.output += chunk;
    });
    this.ended = new Promise((resolve) => child.once("close", resolve));
  }

  async says(pattern: RegExp): Promise<void> {
    await until(() => pattern.test(this.output) || this.child.exitCode !== null, `output ${pattern}`);
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`did not come true within 30 s: ${what}`);
    await sleep(50);
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
