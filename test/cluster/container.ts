/** A container: its program in a mount namespace, where its volumes lie at their paths. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "./pod.ts";

/** Where the stand-in can make folders: elsewhere they would be the machine's own. */
const writable = ["/run/", "/var/run/", "/var/lib/", "/opt/", "/tmp/"];

export interface ContainerOptions {
  readonly container: Container;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** In it a folder for each volume. */
  readonly volumes: string;
  readonly logFile: string;
}

export class RunningContainer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  readonly #preStopMs: number;

  constructor({ container, argv, env, volumes, logFile }: ContainerOptions) {
    const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath = "" }) => {
      if (!writable.some((folder) => mountPath.startsWith(folder))) {
        throw new Error(`the stand-in for kubelet mounts nothing at ${mountPath}: only below ${writable.join(" ")}`);
      }
      return [path.join(volumes, name, subPath), mountPath];
    });
    // Pairs of folders up to `--`, then the program.
    const script =
      'while [ "$1" != -- ]; do mkdir -p "$2" && mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"';
    const shell = ["--mount", "--propagation", "private", "sh", "-c", script, "sh", ...mounts, "--", ...argv];
    this.#preStopMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
    const log = openSync(logFile, "a");
    this.#child = spawn("unshare", shell, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#ended = once(this.#child, "exit").then(([code]) => (typeof code === "number" ? code : -1));
  }

  /** The exit code; -1: a signal. */
  ended(): Promise<number> {
    return this.#ended;
  }

  /** The pause that it wants, SIGTERM, and after the grace SIGKILL to whatever is left of it. */
  async stop(graceMs: number): Promise<void> {
    if (this.#child.pid === undefined) return;
    const pauseMs = Math.min(this.#preStopMs, graceMs);
    await this.#endsWithin(pauseMs);
    this.#child.kill("SIGTERM");
    await this.#endsWithin(graceMs - pauseMs);
    this.kill();
    await this.ended();
  }

  async #endsWithin(ms: number): Promise<void> {
    const patience = new AbortController();
    await Promise.race([this.ended(), sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // All of it has ended.
    }
  }
}
