/**
 * Instructions that a worker executes per request outside the kernel, counted by valgrind's callgrind: the same in
 * every run, whatever else the machine does.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Connection } from "./connection.ts";
import { childrenOf } from "./worker-time.ts";

const run = promisify(execFile);
/** LuaJIT compiles what is hot when counters say so that functions share by chance: mostly at once, now and then late. */
const atLeastToWarmUp = 20_000;
const toGoOn = 600;
const counted = 2000;
const patienceMs = 30_000;

export const howToCount = "instructions are not counted: apt-get install -y valgrind";

export function canCount(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "callgrind_control"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

interface CountedLoad {
  readonly hosts: readonly string[];
  readonly isClosing: boolean;
  readonly isTls: boolean;
}

/** A server under callgrind: what to put before its command, and what it then costs. */
export class Count {
  readonly #directory = mkdtempSync(join(tmpdir(), "entrance-callgrind-"));

  get wrap(): readonly string[] {
    // Without --trace-children a forked worker can't be told to begin.
    const options = ["--tool=callgrind", "--trace-children=yes", "--instr-atstart=no", "-q"];
    return ["valgrind", ...options, `--callgrind-out-file=${this.#directory}/callgrind.%p`];
  }

  /** The hosts are asked for in turn, one request after another; with isClosing each on a connection of its own. */
  async perRequest(masterPid: number, port: number, load: CountedLoad): Promise<number> {
    const { hosts } = load;
    const warm = { ...load, isClosing: false };
    const [worker] = childrenOf(masterPid);
    if (worker === undefined) throw new Error("nginx has no worker");
    const warmUp = Math.max(atLeastToWarmUp, hosts.length);
    await ask(port, warm, warmUp);
    await this.#control("--instr=on", worker);
    await ask(port, load, toGoOn);
    await this.#control("--zero", worker);
    await ask(port, load, counted);
    await this.#control("--dump", worker);
    const files = readdirSync(this.#directory).filter((name) => name.startsWith(`callgrind.${worker}.`));
    const text = readFileSync(join(this.#directory, files.sort().at(-1) ?? ""), "utf8");
    const total = Number(/^totals: ([0-9]+)/m.exec(text)?.[1]);
    if (!(total > 0)) throw new Error("callgrind counted nothing");
    return total / counted;
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #control(option: string, pid: number): Promise<void> {
    const { stdout } = await run("callgrind_control", [option, String(pid)], { timeout: patienceMs });
    if (!stdout.includes("OK")) throw new Error(`callgrind does not listen: ${stdout}`);
  }
}

async function ask(port: number, { hosts, isClosing, isTls }: CountedLoad, requests: number): Promise<void> {
  let connection = await Connection.open(port, isTls);
  for (let done = 0; done < requests; done += 1) {
    if (isClosing && done > 0) connection = await Connection.open(port, isTls);
    const { status } = await connection.get(hosts[done % hosts.length] ?? "", isClosing ? "Connection: close\r\n" : "");
    if (status !== 200) throw new Error(`a request was answered ${status}`);
    if (isClosing) connection.close();
  }
  connection.close();
}
