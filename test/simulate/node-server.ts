/** A node of a simulation: the admin API v2 over the model node, with a network between and everything that befalls it. */
import type { NodeState, Receipt, Resource } from "../../shared/plugins/port.ts";
import { type ModelNode, newModelNode, stateOf, take } from "../harness/model-node.ts";
import type { Caller } from "./caller.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

/** `silent`: connections open and nothing is ever answered. */
export type Mode = "up" | "slow" | "away" | "silent" | "refusing";

export interface NodeWatcher {
  /** A delivery was taken or refused; `before` is what the node had. */
  handled(node: NodeServer, method: string, receipt: Receipt, before: NodeState): void;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class NodeServer {
  readonly url: string;
  readonly balancer: string;
  model: ModelNode = newModelNode();
  mode: Mode = "up";
  watcher: NodeWatcher | undefined;
  readonly #time: Time;
  readonly #random: Random;

  constructor(url: string, balancer: string, time: Time, random: Random) {
    this.url = url;
    this.balancer = balancer;
    this.#time = time;
    this.#random = random;
  }

  /** Its disk is lost, and with it what it had. */
  wipe(): void {
    this.model = newModelNode();
  }

  /** What a copy's `fetch` finds at this node's address. */
  fetch(caller: Caller, url: string, init: RequestInit): Promise<Response> {
    const { signal } = init;
    const method = init.method ?? "GET";
    const path = url.slice(this.url.length);
    const body = typeof init.body === "string" ? init.body : "";
    const extraMs = this.mode === "slow" ? this.#random.between(500, 6_000) : 0;
    const mode = this.mode;
    const answered = new Promise<Response>((resolve, reject) => {
      caller
        .call(`${method} ${url}`, extraMs, () => {
          if (mode === "away" || this.mode === "away") throw new TypeError("fetch failed");
          if (this.mode === "silent") return undefined;
          return this.#handle(method, path, body);
        })
        .then((answer) => {
          if (answer !== undefined) resolve(Response.json(answer.body, { status: answer.status }));
        }, reject);
    });
    if (!signal) return answered;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      answered.then(resolve, reject);
    });
  }

  #handle(method: string, path: string, body: string): Answer {
    const { model } = this;
    const before = stateOf(model);
    if (this.mode === "refusing")
      return { status: 503, body: { reason: "busy", message: "another change is being written" } };
    if (method === "GET" && path === "/v2/state") return { status: 200, body: { format: 1, ...before } };
    const receipt = method === "PUT" ? this.#snapshot(body) : this.#changes(body);
    if (receipt === undefined) return { status: 400, body: { message: "the body cannot be read" } };
    this.watcher?.handled(this, method, receipt, before);
    if (receipt.ok) return { status: 200, body: receipt.state };
    if ("state" in receipt) return { status: 409, body: { reason: receipt.reason, ...receipt.state } };
    return { status: 507, body: { reason: "memory", message: "the node's dictionary is full; nothing was changed" } };
  }

  #changes(body: string): Receipt | undefined {
    const { format, base, changes, ...target } = JSON.parse(body);
    return format === 1 ? take(this.model, { type: "changes", target, base, resources: changes }) : undefined;
  }

  #snapshot(body: string): Receipt | undefined {
    const [header, ...lines] = body.trimEnd().split("\n");
    const { format, count, replaces, ...target } = JSON.parse(header ?? "{}");
    if (format !== 1 || count !== lines.length) return undefined;
    const resources = lines.map((line): Resource => JSON.parse(line));
    return take(this.model, { type: "snapshot", target, resources, ...(replaces === undefined ? {} : { replaces }) });
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }
}
