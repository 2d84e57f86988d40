/** Three Entrances on one real store, and three real nodes; between them a network that can lose things. */
import { type Backend, startBackend } from "../../harness/backend.ts";
import { EntranceProcess } from "../../harness/entrance-process.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { sealKey } from "../../harness/secrets.ts";
import { TcpProxy } from "../../harness/tcp-proxy.ts";
import type { RealStore } from "./stores.ts";

const copies = 3;
const nodesCount = 3;
const backendsCount = 4;
/** The clock of the last copy is so much off. */
const clockOffMs = 60_000;

export class Field {
  readonly entrances: EntranceProcess[] = [];
  readonly nodes: TestNode[] = [];
  readonly backends: Backend[] = [];
  /** Before the store. */
  readonly storeProxy: TcpProxy;
  /** Before each node's admin API. */
  readonly nodeProxies: TcpProxy[] = [];
  readonly store: RealStore;

  private constructor(store: RealStore, storeProxy: TcpProxy) {
    this.store = store;
    this.storeProxy = storeProxy;
  }

  /** `isAhead`: the clock that is off is a minute ahead; otherwise behind. */
  static async start(store: RealStore, isAhead: boolean): Promise<Field> {
    const field = new Field(store, await TcpProxy.start(store.port));
    try {
      for (let place = 0; place < backendsCount; place += 1)
        field.backends.push(await startBackend(`backend-${place}`));
      for (let place = 0; place < nodesCount; place += 1) {
        const node = await startNode({ workers: 1 });
        field.nodes.push(node);
        field.nodeProxies.push(await TcpProxy.start(node.ports.admin));
      }
      const nodes = field.nodeProxies.map(({ port }) => `http://127.0.0.1:${port}`);
      const settings = { ...store.environment(field.storeProxy.port), ENTRANCE_SEAL_KEY: sealKey };
      for (let place = 0; place < copies; place += 1) {
        const isOff = place === copies - 1;
        const environment = { ...settings, ...(isOff ? clockOff(isAhead ? clockOffMs : -clockOffMs) : {}) };
        field.entrances.push(await EntranceProcess.start({ platform: "node", nodes, environment }));
      }
      return field;
    } catch (error) {
      await field.stop();
      throw error;
    }
  }

  get ports(): number[] {
    return this.backends.map(({ port }) => port);
  }

  async stop(): Promise<void> {
    // One that is frozen hears no other signal.
    await Promise.all(this.entrances.map((entrance) => entrance.kill9()));
    await Promise.all([
      ...this.entrances.map((entrance) => entrance.stop()),
      ...this.nodes.map((node) => node.stop()),
      ...this.backends.map((backend) => backend.close()),
      ...[this.storeProxy, ...this.nodeProxies].map((proxy) => proxy.stop()),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function clockOff(ms: number): Record<string, string> {
  const preload = new URL("../../harness/shifted-clock.ts", import.meta.url);
  return { NODE_OPTIONS: `--import=${preload}`, TEST_CLOCK_OFF_MS: String(ms) };
}
