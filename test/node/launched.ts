// A node as an operator runs it: by its launcher, which ends it with care.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { type NodeOptions, type NodePorts, prepareNode } from "../../infra/openresty/prepare.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KEY, request, TestNode } from "../harness/node.ts";

export class LaunchedNode extends TestNode {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(directory: string, ports: NodePorts, child: ChildProcess) {
    super(directory, ports, { directory });
    this.#child = child;
    this.exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** nginx's master; the launcher is its parent. */
  get nginx(): number {
    return Number(readFileSync(join(this.directory, "logs/nginx.pid"), "utf8"));
  }

  override async stop(): Promise<void> {
    const { pid } = this.#child;
    try {
      // All of the group: workers outlive a master that was killed.
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // nobody is left
    }
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }

  async up(): Promise<this> {
    await vi.waitFor(
      async () => {
        if ((await request(this.ports.health, "/health")).status !== 200) throw new Error(this.log());
      },
      { timeout: 15_000, interval: 20 },
    );
    return this;
  }
}

export async function nodePorts(): Promise<NodePorts> {
  const [http = 0, https = 0, admin = 0, health = 0, waiting = 0] = await freePorts(5);
  return { http, https, admin, health, waiting };
}

export async function launch(options: Partial<NodeOptions> = {}): Promise<LaunchedNode> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-node-"));
  const ports = await nodePorts();
  const usual = { workers: 2, keys: [KEY], memoryMiB: 32 };
  const { launcher } = prepareNode({ ...usual, ...options, directory, ports });
  const child = spawn(launcher.command, launcher.args, { detached: true, stdio: "ignore" });
  return new LaunchedNode(directory, ports, child).up();
}
