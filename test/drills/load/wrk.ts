/** A load that runs beside a drill: wrk, until it is told to end; then what it counted. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Counted {
  readonly requests: number;
  /** Statuses other than 2xx and 3xx, and what went wrong on sockets. */
  readonly failed: number;
  readonly said: string;
}

export interface Load {
  readonly url: string;
  readonly host: string;
  /** Every request on a connection of its own. */
  readonly isClosing?: boolean;
}

export class Wrk {
  readonly #process;
  readonly #directory: string;
  readonly #ended: Promise<string>;

  constructor({ url, host, isClosing = false }: Load) {
    this.#directory = mkdtempSync(join(tmpdir(), "entrance-wrk-"));
    const script = join(this.#directory, "request.lua");
    const headers = [`Host = "${host}"`, ...(isClosing ? ['Connection = "close"'] : [])];
    writeFileSync(script, `wrk.headers = { ${headers.join(", ")} }\n`);
    const args = ["-t", "1", "-c", "8", "-d", "2h", "--timeout", "10s", "-s", script, url];
    this.#process = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = new Promise((resolve, reject) => {
      let said = "";
      this.#process.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      this.#process.on("error", (error) =>
        reject(new Error(`wrk is missing: apt-get install -y wrk (${error.message})`)),
      );
      this.#process.on("close", () => resolve(said));
    });
  }

  /** It prints its sums when it is interrupted. */
  async end(): Promise<Counted> {
    this.#process.kill("SIGINT");
    const said = await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
    const numbers = (pattern: RegExp) => [...(pattern.exec(said)?.slice(1) ?? [])].map(Number);
    const [requests = 0] = numbers(/(\d+) requests in/);
    const sockets = numbers(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/);
    const statuses = numbers(/Non-2xx or 3xx responses: (\d+)/);
    return { requests, failed: [...sockets, ...statuses].reduce((sum, each) => sum + each, 0), said };
  }
}
