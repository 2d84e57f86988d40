/** Where drills are held: Entrance in Node as a process of its own, real nodes, an application, and who writes. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Backend, startBackend } from "../harness/backend.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { Writer } from "./writer.ts";

/** How often: a few times in every run of the tests, as often as the project promises with DRILL=full, or DRILL times. */
export function times(few: number, promised: number): number {
  const asked = process.env["DRILL"];
  return asked === "full" ? promised : Number(asked ?? few);
}

/** What a drill measured, in one line. */
export function report(drill: string, figures: Readonly<Record<string, number | string>>): void {
  const parts = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
  console.log(`drill ${drill}: ${parts.join(", ")}`);
}

export interface FieldOptions {
  readonly nodes?: number;
  /** Where Entrance reaches a node's admin API, when it is not the node itself. */
  readonly reach?: (adminPort: number, place: number) => Promise<number>;
  readonly directory?: string;
}

export class Field {
  readonly entrance: EntranceProcess;
  readonly nodes: readonly TestNode[];
  readonly backend: Backend;
  readonly writer: Writer;

  private constructor(entrance: EntranceProcess, nodes: readonly TestNode[], backend: Backend) {
    this.entrance = entrance;
    this.nodes = nodes;
    this.backend = backend;
    this.writer = new Writer(entrance.url);
  }

  /** With one application, `www.example`, served by every node. */
  static async start(options: FieldOptions = {}): Promise<Field> {
    const nodes: TestNode[] = [];
    let backend: Backend | undefined;
    let entrance: EntranceProcess | undefined;
    try {
      backend = await startBackend("web");
      const urls: string[] = [];
      for (let place = 0; place < (options.nodes ?? 1); place += 1) {
        const node = await startNode();
        nodes.push(node);
        urls.push(`http://127.0.0.1:${(await options.reach?.(node.ports.admin, place)) ?? node.ports.admin}`);
      }
      const directory = options.directory === undefined ? {} : { directory: options.directory };
      entrance = await EntranceProcess.start({ platform: "node", nodes: urls, ...directory });
      const field = new Field(entrance, nodes, backend);
      await field.writer.service("web");
      await field.writer.members("web", [backend.port]);
      await field.writer.route("www");
      return field;
    } catch (error) {
      await Promise.all([entrance?.stop(), ...nodes.map((node) => node.stop()), backend?.close()]);
      throw error;
    }
  }

  get node(): TestNode {
    const [node] = this.nodes;
    if (node === undefined) throw new Error("a field has a node");
    return node;
  }

  /** Waits until no mark is left and this node has all of it; says how many ms that took. */
  async untilEqual(node: TestNode = this.node, withinMs = 25_000): Promise<number> {
    const since = performance.now();
    for (;;) {
      const status = await this.entrance.status();
      const head = status.balancers[0]?.head;
      const state = await node.state().catch(() => undefined);
      const took = performance.now() - since;
      const isEqual = state !== undefined && head?.revision === state.revision && head.digest === state.digest;
      if (isEqual && status.marks.due === 0) return Math.round(took);
      if (took > withinMs) throw new Error(`not equal after ${withinMs} ms: ${JSON.stringify({ status, state })}`);
      await sleep(20);
    }
  }

  /** Hosts whose answer is not what acknowledged events say that it must be. */
  async wrong(node: TestNode = this.node): Promise<string[]> {
    const wrong: string[] = [];
    const expected = [...this.writer.acknowledged];
    // Several at a time: each asks on a connection of its own and so meets any worker.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let next = expected.pop(); next !== undefined; next = expected.pop()) {
          const [name, isRouted] = next;
          const { status } = await node.get(`${name}.example`);
          if (status !== (isRouted ? 200 : 404)) wrong.push(`${name}.example ${status}, routed: ${isRouted}`);
        }
      }),
    );
    return wrong;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.entrance.stop(), ...this.nodes.map((node) => node.stop()), this.backend.close()]);
  }
}
