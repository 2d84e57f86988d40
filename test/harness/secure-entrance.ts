/** Entrance in Node with a folder of certificates and keys: told of new ones by a signal, and it may end before it serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../../infra/wrangler.ts";
import { freePorts } from "./free-ports.ts";

export class SecureEntrance {
  readonly port: number;
  /** All that it printed since it was started last. */
  said = "";
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** Its folder and its port; it is not started. */
  static async prepare(): Promise<SecureEntrance> {
    const [port = 0] = await freePorts(1);
    return new SecureEntrance(mkdtempSync(path.join(tmpdir(), "entrance-secure-")), port);
  }

  /** Returns before it serves. */
  start(environment: Readonly<Record<string, string>>): void {
    this.said = "";
    const env = {
      PATH: process.env["PATH"] ?? "",
      ENTRANCE_LISTEN: `127.0.0.1:${this.port}`,
      ENTRANCE_DATA: this.path("store"),
      ...environment,
    };
    const child = spawn(process.execPath, [path.join(root, "functions/node.ts")], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.said += chunk.toString();
      });
    }
  }

  /** Of a file in its folder. */
  path(file: string): string {
    return path.join(this.#folder, file);
  }

  /** The file's path. */
  write(file: string, text: string): string {
    writeFileSync(this.path(file), text);
    return this.path(file);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Its exit code, once it has ended. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "close");
    return child?.exitCode ?? null;
  }

  async remove(): Promise<void> {
    this.signal("SIGTERM");
    await this.ended();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
