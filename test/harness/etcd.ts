/** Real etcd, one member or several, in a folder that goes with it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./free-ports.ts";

/** An election, and the first answer after it. */
const upWithinMs = 30_000;

export interface EtcdOptions {
  readonly members?: number;
  /** PEM files. With `clientCa`, a client needs a certificate of that authority. */
  readonly tls?: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCa?: string;
  };
  readonly args?: readonly string[];
}

export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdCluster> {
  const { members = 1, tls } = options;
  const directory = mkdtempSync(join(tmpdir(), "entrance-etcd-"));
  const ports = await freePorts(members * 3);
  const scheme = tls === undefined ? "http" : "https";
  const places = Array.from({ length: members }, (_, index) => ({
    name: `m${index}`,
    client: `${scheme}://127.0.0.1:${ports[index * 3]}`,
    peer: `http://127.0.0.1:${ports[index * 3 + 1]}`,
    metrics: `http://127.0.0.1:${ports[index * 3 + 2]}`,
  }));
  const cluster = places.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const running = places.map(({ name, client, peer, metrics }) => {
    const args = [
      ["--name", name, "--data-dir", join(directory, name), "--initial-cluster", cluster],
      ["--listen-client-urls", client, "--advertise-client-urls", client],
      ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--listen-metrics-urls", metrics],
      ["--heartbeat-interval", "50", "--election-timeout", "500", "--logger", "zap", "--log-level", "error"],
      tls === undefined ? [] : ["--cert-file", tls.certificate, "--key-file", tls.key],
      tls?.clientCa === undefined ? [] : ["--client-cert-auth", "--trusted-ca-file", tls.clientCa],
      options.args ?? [],
    ];
    return new EtcdMember(client, metrics, args.flat());
  });
  const made = new EtcdCluster(running, directory);
  try {
    for (const member of running) member.begin();
    await Promise.all(running.map((member) => member.isUp()));
    return made;
  } catch (error) {
    await made.stop();
    throw error;
  }
}

export class EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly #directory: string;

  constructor(members: readonly EtcdMember[], directory: string) {
    this.members = members;
    this.#directory = directory;
  }

  /** Where the members keep what they have. */
  files(): string[] {
    const found = globSync("**/*", { cwd: this.#directory, withFileTypes: true }).filter((file) => file.isFile());
    return found.map((file) => join(file.parentPath, file.name));
  }

  /** All bytes that the members keep, as they lie on the disk. */
  stored(): string {
    return this.files()
      .map((file) => readFileSync(file, "latin1"))
      .join("\n");
  }

  get urls(): string[] {
    return this.members.map(({ url }) => url);
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export class EtcdMember {
  readonly url: string;
  readonly #metrics: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #fault: Error | undefined;
  /** All that it ever printed. */
  said = "";

  constructor(url: string, metrics: string, args: readonly string[]) {
    this.url = url;
    this.#metrics = metrics;
    this.#args = args;
  }

  begin(): void {
    const child = spawn(program(), this.#args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.said += chunk.toString();
      });
    }
    child.on("error", (error) => {
      this.#fault = error;
    });
    this.#child = child;
  }

  async isUp(): Promise<void> {
    for (const deadline = Date.now() + upWithinMs; ; await sleep(20)) {
      if (this.#fault !== undefined) throw new Error(`etcd cannot be started: ${this.#fault.message}`);
      if (this.#child?.exitCode != null) throw new Error(`etcd ended: ${this.said.slice(-4_000)}`);
      const health = await fetch(`${this.#metrics}/health`).catch(() => undefined);
      if (health?.ok && ((await health.json()) as { health?: string }).health === "true") return;
      if (Date.now() > deadline) throw new Error(`etcd does not answer: ${this.said.slice(-4_000)}`);
    }
  }

  async start(): Promise<void> {
    this.begin();
    await this.isUp();
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** Another version is tried with ENTRANCE_TEST_ETCD=/path/to/etcd. */
function program(): string {
  const other = process.env["ENTRANCE_TEST_ETCD"];
  if (other !== undefined && other !== "") return other;
  if (spawnSync("etcd", ["--version"], { stdio: "ignore" }).error !== undefined) {
    throw new Error("etcd is not installed. On Debian and Ubuntu, type: npm run setup");
  }
  return "etcd";
}
