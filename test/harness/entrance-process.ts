/** Entrance as a process of its own: in Node, or bundled in workerd; in a process group and a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Status } from "../../functions/status.ts";
import { bundle } from "../../infra/build.ts";
import { freePorts } from "./free-ports.ts";
import { KEY } from "./node.ts";

export type Platform = "node" | "workerd";

export interface ProcessOptions {
  readonly platform: Platform;
  /** Admin URLs of its nodes, all of one balancer. */
  readonly nodes: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where its store lies; without it, a folder that goes when it is stopped. */
  readonly directory?: string;
}

const upWithinMs = 20_000;

const commands: Readonly<Record<Platform, (directory: string) => Promise<readonly string[]>>> = {
  node: async () => [source("functions/node.ts")],
  workerd: async (directory) => {
    const script = join(directory, "worker.js");
    await bundle("worker", script);
    return [source("infra/local/worker-host.ts"), script, join(directory, "store")];
  },
};

function source(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export class EntranceProcess {
  readonly url: string;
  readonly directory: string;
  /** All that it ever printed. */
  log = "";
  readonly #options: ProcessOptions;
  readonly #args: readonly string[];
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(options: ProcessOptions, directory: string, args: readonly string[], port: number) {
    this.#options = options;
    this.#args = args;
    this.#port = port;
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(options: ProcessOptions): Promise<EntranceProcess> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), "entrance-process-"));
    const [port = 0] = await freePorts(1);
    const made = new EntranceProcess(options, directory, await commands[options.platform](directory), port);
    await made.start();
    return made;
  }

  /** Returns when it answers; throws with what it said when it does not. */
  async start(): Promise<void> {
    const { nodes, environment = {} } = this.#options;
    const env = {
      PATH: process.env["PATH"] ?? "",
      TMPDIR: this.directory,
      ENTRANCE_LISTEN: `127.0.0.1:${this.#port}`,
      ENTRANCE_DATA: join(this.directory, "store"),
      ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes }]),
      ENTRANCE_NODE_KEY: KEY,
      ...environment,
    };
    const child = spawn(process.execPath, this.#args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
    const giveUpAt = Date.now() + upWithinMs;
    while (Date.now() < giveUpAt && child.exitCode === null && child.signalCode === null) {
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return;
      await sleep(20);
    }
    await this.#end("SIGKILL");
    throw new Error(`Entrance did not start\n${this.log}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    process.kill(-child.pid, signal);
    await exited;
  }

  /** To the whole group: SIGSTOP freezes it where it stands. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, signal);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** kill -9 of the whole group. */
  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it and leaves its folder, so that start() continues from it. */
  async halt(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async stop(): Promise<void> {
    // workerd's host ends at once with SIGKILL; there is nothing that it would have to finish.
    await this.#end(this.#options.platform === "node" ? "SIGTERM" : "SIGKILL");
    if (this.#options.directory === undefined) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  async status(): Promise<Status> {
    return (await (await this.fetch("/status")).json()) as Status;
  }

  /** All bytes of its store, as they lie on the disk. */
  stored(): string {
    const files = globSync("store/**/*", { cwd: this.directory, withFileTypes: true }).filter((file) => file.isFile());
    return files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1")).join("\n");
  }
}
