/** One child with its process group: started, watched, started again when it dies, ended as a whole. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup } from "./process-group.ts";
import { type ProcessEntry, processOf } from "./process-table.ts";
import { Told } from "./told.ts";

export interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** It ends with care when its leader is asked to: so long it may take, before the whole group is ended. */
  readonly endsWithinMs?: number;
  /** Whether it does its work by now; asked until it says so. Rejects when waiting is useless, with the reason. */
  readonly isUp: () => Promise<boolean>;
}

export interface Observer {
  /** A process was started or is gone: what a later start would have to clean up has changed. */
  readonly changed: () => void;
  readonly say: (line: string) => void;
}

const upWithinMs = 20_000;
const firstBackoffMs = 100;
const maxBackoffMs = 5_000;
/** Having run this long it was no failed start: the next restart is immediate again. */
const healthyAfterMs = 10_000;
const lastLines = 15;

export class Supervised {
  readonly name: string;
  entry: ProcessEntry | undefined;
  readonly #command: Command;
  readonly #observer: Observer;
  #stopping = new AbortController();
  #backoffMs = firstBackoffMs;
  #running: Promise<void> = Promise.resolve();
  #wasUp = false;
  #lines: string[] = [];

  constructor(command: Command, observer: Observer) {
    this.name = command.name;
    this.#command = command;
    this.#observer = observer;
  }

  /** Returns when it is up. A first start that fails is an error, with what it said; later ones are tried again. */
  async start(): Promise<void> {
    const first = this.#spawn();
    this.#running = this.#watch(first);
    await Promise.race([this.#untilUp(), this.#running.then(() => this.#fail("ended at once"))]);
    this.#wasUp = true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const { endsWithinMs } = this.#command;
    if (this.entry !== undefined && endsWithinMs !== undefined) {
      process.kill(this.entry.pid, "SIGTERM");
      await Promise.race([this.#running, sleep(endsWithinMs, undefined, { ref: false })]);
    }
    if (this.entry !== undefined) await endGroup(this.entry.pid);
    await this.#running;
  }

  #spawn(): ChildProcess {
    const { program, args, env } = this.#command;
    // A group of its own: Ctrl-C in the terminal reaches us alone, and we end it in order.
    const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env });
    this.entry = child.pid === undefined ? undefined : processOf(child.pid);
    this.#observer.changed();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#heard(line));
    }
    return child;
  }

  async #watch(first: ChildProcess): Promise<void> {
    let child = first;
    for (;;) {
      const startedAt = Date.now();
      const how = await ended(child);
      // The leader is gone: what it leaves behind would hold its ports.
      if (child.pid !== undefined) await endGroup(child.pid);
      this.entry = undefined;
      this.#observer.changed();
      if (this.#stopping.signal.aborted || !this.#wasUp) return;
      if (Date.now() - startedAt > healthyAfterMs) this.#backoffMs = firstBackoffMs;
      this.#observer.say(`${this.name} ended (${how}); starting it again`);
      await sleep(this.#backoffMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
      if (this.#stopping.signal.aborted) return;
      child = this.#spawn();
    }
  }

  async #untilUp(): Promise<void> {
    const giveUpAt = Date.now() + upWithinMs;
    while (!(await this.#command.isUp())) {
      if (this.#stopping.signal.aborted) return;
      if (Date.now() > giveUpAt) this.#fail(`was not up after ${upWithinMs / 1000} s`);
      await sleep(50);
    }
  }

  #fail(how: string): void {
    if (this.#stopping.signal.aborted || this.#wasUp) return;
    throw new Told(`${this.name} ${how}. The last it said:\n${this.#lines.map((line) => `  ${line}`).join("\n")}`);
  }

  #heard(line: string): void {
    this.#lines = [...this.#lines.slice(1 - lastLines), line];
    if (this.#wasUp) this.#observer.say(`${this.name}: ${line}`);
  }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
