// Starts real nodes: nginx with our Lua, in a folder of its own, on free ports, in a process group of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type NodeOptions, type NodePorts, prepareNode } from "../../infra/openresty/prepare.ts";
import { freePorts } from "./free-ports.ts";

export const KEY = "a-key-of-the-tests";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
}

/** One request on a connection of its own. */
export function request(port: number, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body, timeoutMs = 30_000 } = options;
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const target = { host: "127.0.0.1", port, path, method, headers: { ...length, ...headers }, agent: false };
    const outgoing = httpRequest(target, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export interface Change {
  readonly key: string;
  readonly value: unknown;
  readonly revision?: number;
  readonly hash?: string;
}

export interface NodeState {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
  readonly digest: string;
  readonly ready: boolean;
  readonly problem: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly v1: number;
  readonly rejectedCount: number;
  readonly rejected: readonly { key: string; reason: string }[];
  readonly shadowed: readonly { v1: string; protocol: string; domain: string }[];
  readonly unhealthyCount: number;
  readonly health: readonly {
    readonly pool: string;
    readonly address: string;
    readonly port: number;
    readonly healthy: boolean;
    readonly since: string;
    readonly reason: string;
  }[];
  readonly awaitingAuthorities: readonly { readonly pool: string; readonly reason: string }[];
  readonly unhealthyPools: readonly { readonly pool: string; readonly members: number; readonly unhealthy: number }[];
  readonly certificates: readonly { key: string; notAfter: string }[];
  readonly l4Revision: number;
  readonly l4Problem: string | null;
  readonly reloads: number;
  readonly listenerCount: number;
  readonly listenersFailed: number;
  readonly listeners: readonly {
    key: string;
    port: number;
    protocol: string;
    state: "open" | "opening" | "failed";
    reason?: string;
  }[];
  readonly shadowedListeners: readonly { v1: string; heldBy: string }[];
  readonly uptimeSeconds: number;
  readonly pid: number;
  readonly workers: readonly { id: number; pid: number; version: number; revision: number }[];
}

/** SHA-1 of JSON with sorted keys, as Entrance makes it. */
export function hashOf(value: unknown): string {
  const canonical = (it: unknown): unknown => {
    if (Array.isArray(it)) return it.map(canonical);
    if (it === null || typeof it !== "object") return it;
    return Object.fromEntries(
      Object.entries(it)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, part]) => [name, canonical(part)]),
    );
  };
  return createHash("sha1")
    .update(JSON.stringify(canonical(value)))
    .digest("hex");
}

/** The sum of a digest, word by word, moved by one key. */
function shift(sum: readonly number[], key: string, hash: string, sign: 1 | -1): number[] {
  const bytes = createHash("sha1").update(`${key}\n${hash}`).digest();
  return sum.map((word, place) => (word + sign * bytes.readUInt32BE(place * 4) + 2 ** 32) % 2 ** 32);
}

function hexOf(sum: readonly number[]): string {
  return sum.map((word) => word.toString(16).padStart(8, "0")).join("");
}

export function digestOf(hashes: ReadonlyMap<string, string>): string {
  let sum = [0, 0, 0, 0, 0];
  for (const [key, hash] of hashes) sum = shift(sum, key, hash, 1);
  return hexOf(sum);
}

/** What a well-behaved sender keeps: the head it believes in, and the envelopes that follow from it. */
export class Sender {
  readonly hashes = new Map<string, string>();
  readonly values = new Map<string, unknown>();
  revision = 0;
  readonly store: string;
  readonly epoch: number;
  #sum = [0, 0, 0, 0, 0];

  constructor(store = "store-1", epoch = 1) {
    this.store = store;
    this.epoch = epoch;
  }

  /** Changes the content without a revision: what a refused batch did is taken back this way. */
  set(key: string, value: unknown, hash = hashOf(value)): void {
    const before = this.hashes.get(key);
    if (before !== undefined) this.#sum = shift(this.#sum, key, before, -1);
    this.hashes.delete(key);
    this.values.delete(key);
    if (value === null) return;
    this.#sum = shift(this.#sum, key, hash, 1);
    this.hashes.set(key, hash);
    this.values.set(key, value);
  }

  /** The next revision with these changes, as the body of POST /v2/changes. */
  changes(changes: readonly Change[], base = this.revision): Record<string, unknown> {
    this.revision += 1;
    const sent = changes.map(({ key, value, revision = this.revision, hash = hashOf(value) }) => {
      this.set(key, value, hash);
      return { key, revision, hash: value === null ? "" : hash, value };
    });
    return { ...this.head(), base, changes: sent };
  }

  head(): Record<string, unknown> {
    const { store, epoch, revision } = this;
    return { format: 1, store, epoch, revision, digest: hexOf(this.#sum) };
  }

  /** Everything, as the body of PUT /v2/snapshot. */
  snapshot(more: Readonly<Record<string, unknown>> = {}): string {
    const lines = [...this.values].map(([key, value]) =>
      JSON.stringify({ key, revision: this.revision, hash: this.hashes.get(key), value }),
    );
    return [JSON.stringify({ ...this.head(), count: lines.length, ...more }), ...lines, ""].join("\n");
  }
}

export type StartOptions = Partial<Omit<NodeOptions, "directory" | "ports">> & {
  readonly directory?: string;
  readonly ports?: NodePorts;
  /** Put before nginx's own command line, for example to limit what it may do. */
  readonly wrap?: readonly string[];
  readonly readyWithinMs?: number;
};

/** Tests of connections run on an nginx with Lua for them where this names its module. */
const streamLuaModule = process.env["ENTRANCE_TEST_STREAM_LUA"];

const READY_WITHIN_MS = 15_000;

export class TestNode {
  readonly directory: string;
  readonly ports: NodePorts;
  readonly key: string;
  readonly sender = new Sender();
  #process: ChildProcess | undefined;
  readonly #options: StartOptions;
  readonly #ownsDirectory: boolean;

  constructor(directory: string, ports: NodePorts, options: StartOptions) {
    this.directory = directory;
    this.ports = ports;
    this.key = options.keys?.[0] ?? KEY;
    this.#options = options;
    this.#ownsDirectory = options.directory === undefined;
  }

  /** Starts nginx and waits until it answers; throws with its log when it does not. */
  async start(): Promise<void> {
    const { wrap = [], readyWithinMs: _, ...more } = this.#options;
    const usual = { workers: 2, keys: [KEY], memoryMiB: 32, ...(streamLuaModule && { streamLuaModule }) };
    const prepared = prepareNode({ ...usual, ...more, directory: this.directory, ports: this.ports });
    const [command, ...args] = [...wrap, prepared.command, ...prepared.args];
    if (command === undefined) throw new Error("no command");
    const child = spawn(command, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let complaints = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const deadline = Date.now() + (this.#options.readyWithinMs ?? READY_WITHIN_MS);
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      const answer = await request(this.ports.health, "/health").catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(20);
    }
    throw new Error(`the node did not start\n${complaints}\n${this.log()}`);
  }

  async #gone(signal: NodeJS.Signals, wholeGroup: boolean): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    process.kill(wholeGroup ? -child.pid : child.pid, signal);
    await exited;
  }

  /** kill -9 of the master and all workers at once. */
  async kill9(): Promise<void> {
    await this.#gone("SIGKILL", true);
  }

  /** Ends nginx and leaves its folder, so that start() continues from it. */
  async halt(): Promise<void> {
    await this.#gone("SIGTERM", false);
  }

  async restart(): Promise<void> {
    await this.halt();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.halt();
    if (this.#ownsDirectory) rmSync(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get masterPid(): number {
    return this.#process?.pid ?? 0;
  }

  log(): string {
    try {
      return readFileSync(join(this.directory, "logs/error.log"), "utf8");
    } catch {
      return "";
    }
  }

  /** A request on the data port, as a client of this host. */
  get(host: string, path = "/", options: RequestOptions = {}): Promise<Answer> {
    return request(this.ports.http, path, { ...options, headers: { host, ...options.headers } });
  }

  /** A request on the admin port, with the key unless headers say otherwise. */
  admin(path: string, options: RequestOptions = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.key}`, ...options.headers };
    return request(this.ports.admin, path, { ...options, headers });
  }

  post(body: unknown): Promise<Answer> {
    return this.admin("/v2/changes", { method: "POST", body: JSON.stringify(body) });
  }

  /** Sends changes as the next revision; throws unless the node takes them. */
  async apply(changes: readonly Change[]): Promise<readonly { key: string; reason: string }[]> {
    const answer = await this.post(this.sender.changes(changes));
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return (JSON.parse(answer.text) as { rejected: { key: string; reason: string }[] }).rejected;
  }

  async put(body: string): Promise<Answer> {
    return this.admin("/v2/snapshot", { method: "PUT", body });
  }

  async state(): Promise<NodeState> {
    const answer = await this.admin("/v2/state");
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as NodeState;
  }

  async isReady(): Promise<boolean> {
    return (await request(this.ports.health, "/ready")).status === 200;
  }
}

/** A running node. Stop it, or declare it with `await using`. */
export async function startNode(options: StartOptions = {}): Promise<TestNode> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "entrance-node-"));
  const [http = 0, https = 0, admin = 0, health = 0, waiting = 0] = options.ports ? [] : await freePorts(5);
  const node = new TestNode(directory, options.ports ?? { http, https, admin, health, waiting }, options);
  try {
    await node.start();
  } catch (error) {
    await node.stop();
    throw error;
  }
  return node;
}
