/** A program that runs until it is told to end: what it says goes into a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface DaemonOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly isUp: () => Promise<boolean>;
}

const upWithinMs = 120_000;
const patienceMs = 3_000;

export class Daemon {
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const made = new Daemon(options);
    await made.start();
    return made;
  }

  async start(): Promise<void> {
    const { name, program, args, env = {}, logFile, isUp } = this.#options;
    const log = openSync(logFile, "a");
    const child = spawn(program, args, { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", log, log] });
    closeSync(log);
    let fault: Error | undefined;
    child.on("error", (error) => {
      fault = error;
    });
    this.#child = child;
    for (const deadline = Date.now() + upWithinMs; ; await sleep(25)) {
      if (fault !== undefined) throw new Error(`${name} cannot be started: ${fault.message}`);
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended:\n${tail(logFile)}`);
      if (await isUp()) return;
      if (Date.now() > deadline) throw new Error(`${name} does not come up:\n${tail(logFile)}`);
    }
  }

  /** An apiserver waits a minute for watches that do not end by themselves: not for ours. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const patience = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await ended;
    clearTimeout(patience);
  }
}

function tail(file: string): string {
  return readFileSync(file, "utf8").slice(-6_000);
}
