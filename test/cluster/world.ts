/** What most tests begin with: one node, and Entrance installed beside it. */
import { inject } from "vitest";
import { type Answer, KEY, startNode, type TestNode } from "../harness/node.ts";
import { type KubeObject, until } from "./api.ts";
import type { Facts } from "./field.ts";
import { Installed } from "./installed.ts";
import { kubectl, type Said } from "./kubectl.ts";

export class World {
  readonly facts: Facts;
  readonly node: TestNode;
  readonly installed: Installed;

  private constructor(facts: Facts, node: TestNode, installed: Installed) {
    this.facts = facts;
    this.node = node;
    this.installed = installed;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<World> {
    const facts = inject("field");
    const node = await startNode();
    const nodes = [`http://127.0.0.1:${node.ports.admin}`];
    return new World(facts, node, await Installed.install(facts, { nodes, nodeKey: KEY, settings }));
  }

  get api() {
    return this.installed.api;
  }

  async stop(): Promise<void> {
    await this.installed.remove();
    await this.node.stop();
  }

  kubectl(...args: readonly string[]): Promise<Said> {
    return kubectl(this.facts, args);
  }

  /** `kubectl apply -f -`, as JSON. */
  kubectlApply(object: KubeObject, ...more: readonly string[]): Promise<Said> {
    return kubectl(this.facts, ["apply", "-f", "-", ...more], JSON.stringify(object));
  }

  /** All of them are taken. */
  apply(...objects: readonly KubeObject[]): Promise<void> {
    return this.api.applyAll(...objects);
  }

  /** Until the host is answered so. */
  answers(host: string, status: number, path = "/"): Promise<Answer> {
    return until(`${host}${path} is answered with ${status}`, async () => {
      const answer = await this.node.get(host, path);
      return answer.status === status && answer;
    });
  }

  /** So many, and nobody else: not even that there is nobody. */
  async podsAnswer(host: string, count: number): Promise<boolean> {
    const answered = await this.pods(host, 4 * count);
    return answered.size === count && [...answered].every((pod) => !/^\d+$/.test(pod));
  }

  /** Who answered, of so many requests; instead of a pod, the status. */
  async pods(host: string, requests: number): Promise<Set<string>> {
    const found = new Set<string>();
    for (let sent = 0; sent < requests; sent += 1) {
      const { status, headers } = await this.node.get(host);
      found.add(status === 200 ? String(headers["x-pod"]) : String(status));
    }
    return found;
  }
}
