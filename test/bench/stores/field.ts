/** Entrances as processes of their own on one place in a store, before three real nodes. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SeenObject } from "../../../shared/model/seen/object.ts";
import { type Backend, startBackend } from "../../harness/backend.ts";
import { EntranceProcess } from "../../harness/entrance-process.ts";
import type { Place } from "../../harness/every-store.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { sealKey } from "../../harness/secrets.ts";
import { Connection, type Reply } from "../connection.ts";
import { auditBodies } from "./routes.ts";

const nodeCount = 3;
const pollMs = 2;
const withinMs = 180_000;
const maxRetries = 20;
/** nginx closes a connection after 10,000 requests. */
const requestsPerConnection = 5_000;

export class Field {
  readonly entrances: EntranceProcess[];
  readonly nodes: readonly TestNode[];
  readonly backends: readonly [Backend, Backend];
  #version = 1;

  static async start(place: Place, copies: number): Promise<Field> {
    const backends = [await startBackend("a"), await startBackend("b")] as const;
    const nodes: TestNode[] = [];
    const entrances: EntranceProcess[] = [];
    const field = new Field(entrances, nodes, backends);
    try {
      for (let node = 0; node < nodeCount; node += 1) nodes.push(await startNode({ memoryMiB: 64 }));
      const environment = { ...place.environment, ENTRANCE_SEAL_KEY: sealKey };
      const urls = nodes.map(({ ports }) => `http://127.0.0.1:${ports.admin}`);
      for (let copy = 0; copy < copies; copy += 1) {
        entrances.push(await EntranceProcess.start({ platform: "node", nodes: urls, environment }));
      }
      return field;
    } catch (error) {
      await field[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(entrances: EntranceProcess[], nodes: TestNode[], backends: readonly [Backend, Backend]) {
    this.entrances = entrances;
    this.nodes = nodes;
    this.backends = backends;
  }

  /** Told as a kube-apiserver tells it: some hundred events in each request, and the requests side by side. */
  async tell(objects: Iterable<SeenObject>, copy = 0): Promise<void> {
    await Promise.all(this.bodiesOf(objects).map((body) => this.send(body, copy)));
  }

  bodiesOf(objects: Iterable<SeenObject>): string[] {
    return auditBodies(objects, () => {
      this.#version += 1;
      return this.#version;
    });
  }

  async send(body: string, copy = 0): Promise<void> {
    const entrance = this.entrances[copy % this.entrances.length];
    if (entrance === undefined) throw new Error("no Entrance");
    let answer = await entrance.fetch("/audit", { method: "POST", body });
    // As a kube-apiserver does.
    for (let again = 0; answer.status === 503 && again < maxRetries; again += 1) {
      await answer.body?.cancel();
      await sleep(1_000 * Number(answer.headers.get("retry-after") ?? 1));
      answer = await entrance.fetch("/audit", { method: "POST", body });
    }
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('"unusable":0')) throw new Error(`${answer.status} ${text}`);
  }

  /** Until nothing is marked any more. */
  async rested(): Promise<void> {
    for (const end = performance.now() + withinMs; performance.now() < end; await sleep(20)) {
      const status = await this.entrances[0]?.status();
      if (status?.marks.due === 0) return;
    }
    throw new Error("there are marks all the time");
  }

  /** Until each node answers requests of all these hosts as it should. */
  async served(hosts: readonly string[], isServed: (reply: Reply) => boolean): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.#served(node, hosts, isServed)));
  }

  async #served(node: TestNode, hosts: readonly string[], isServed: (reply: Reply) => boolean): Promise<void> {
    const begun = performance.now();
    let client = await Connection.open(node.ports.http);
    let asked = 0;
    for (const host of hosts) {
      for (;;) {
        asked += 1;
        if (asked % requestsPerConnection === 0) {
          client.close();
          client = await Connection.open(node.ports.http);
        }
        const reply = await client.get(host);
        if (isServed(reply)) break;
        if (performance.now() - begun > withinMs) throw new Error(`${host} is not served: ${reply.status}`);
        await sleep(pollMs);
      }
    }
    client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.entrances.map((entrance) => entrance.stop()));
    await Promise.all([...this.nodes.map((node) => node.stop()), ...this.backends.map((backend) => backend.close())]);
  }
}

export function isOk({ status }: Reply): boolean {
  return status === 200;
}
