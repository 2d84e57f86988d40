// A node with one echoing application, and rules with filters for it.
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { type Answer, type RequestOptions, type StartOptions, startNode, type TestNode } from "../harness/node.ts";
import { pool, type RuleParts, rule, slice } from "./values.ts";

export class FilteredNode {
  readonly node: TestNode;
  readonly backend: Backend;
  #number = 0;

  constructor(node: TestNode, backend: Backend) {
    this.node = node;
    this.backend = backend;
  }

  /** A rule on a host of its own; the host. Throws when the node rejects it. */
  async route(more: Readonly<Record<string, unknown>>, parts: RuleParts = {}, target = "web"): Promise<string> {
    const host = `r${this.#number++}.example`;
    const reasons = await this.apply(host, more, parts, target);
    if (reasons.length > 0) throw new Error(reasons.join());
    return host;
  }

  /** Why the node rejects such a rule. */
  async reasons(more: Readonly<Record<string, unknown>>, parts: RuleParts = {}): Promise<string[]> {
    const host = `r${this.#number++}.example`;
    return this.apply(host, more, parts, "web");
  }

  async apply(
    host: string,
    more: Readonly<Record<string, unknown>>,
    parts: RuleParts = {},
    target = "web",
  ): Promise<string[]> {
    const rejected = await this.node.apply([rule(host, target, { ...parts, more })]);
    return rejected.map(({ reason }) => reason);
  }

  get(host: string, path = "/", options: RequestOptions = {}): Promise<Answer> {
    return this.node.get(host, path, options);
  }

  /** What the application heard. */
  async heard(host: string, path = "/", options: RequestOptions = {}): Promise<Echo> {
    return JSON.parse((await this.node.get(host, path, options)).text) as Echo;
  }

  /** Beyond this a fault of the Lua, or of nginx, lies in the log. */
  get faults(): string[] {
    const bad = /\[(alert|emerg|crit)\]|lua entry thread aborted|failed to run|no live upstreams|attempt to/;
    return this.node
      .log()
      .split("\n")
      .filter((line) => bad.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.stop();
    await this.backend.close();
  }
}

export async function startFiltered(options: StartOptions = {}): Promise<FilteredNode> {
  const backend = await startBackend("web", 0, "0.0.0.0");
  const node = await startNode(options);
  await node.apply([pool("web"), slice("web", [{ port: backend.port }])]);
  return new FilteredNode(node, backend);
}
