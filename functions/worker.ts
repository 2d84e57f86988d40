/**
 * The entry for workerd: one Durable Object, in which Entrance runs. It is the embedded store's one process; with a store
 * that others share it is one process among them, whose alarm is the timer.
 */
import { DurableObject } from "cloudflare:workers";
import { openDurableObjectStore } from "../shared/store/durable-object.ts";
import { openDynamoDB } from "../shared/store/dynamodb.ts";
import { openEtcdGateway } from "../shared/store/etcd-gateway.ts";
import type { Store } from "../shared/store/port.ts";
import { type Assembled, assemble } from "./assemble.ts";
import { type Config, readConfig } from "./config.ts";
import { workerAccess } from "./kube-bindings.ts";
import { failSetting } from "./setting.ts";

/** Where it listens is its platform's to know, so anybody may reach it unless whoever started it says otherwise. */
const anywhere = "0.0.0.0:443";

interface Bindings extends Record<string, unknown> {
  readonly ENTRANCE: DurableObjectNamespace<Entrance>;
}

/** Its alarm is the timer; it fires after a restart, too. */
export class Entrance extends DurableObject<Bindings> {
  readonly #assembled: Assembled;
  /** Ms since 1970; undefined: none is set. */
  #alarm: number | undefined;

  constructor(state: DurableObjectState, bindings: Bindings) {
    super(state, bindings);
    const config = readConfig({ ...bindings, ENTRANCE_LISTEN: bindings["ENTRANCE_LISTEN"] || anywhere });
    if (config.nodeAuthorities !== undefined) {
      failSetting("ENTRANCE_NODE_CA", "is for Node and Lambda: workerd trusts whom its configuration names");
    }
    if (config.clientAuthorities !== undefined) {
      failSetting("ENTRANCE_CLIENT_CA", "is for Node: a worker does not see its callers' certificates");
    }
    if (config.balancers.some(({ service }) => service !== undefined)) {
      failSetting("ENTRANCE_BALANCERS", "has a service: its nodes can be found, and called by its name, in Node alone");
    }
    const host = {
      after: (work: () => Promise<void>) => state.waitUntil(work()),
      wakeAt: (time: number) => this.#wakeAt(time),
    };
    this.#assembled = assemble(config, openStore(config, state.storage), host, {
      access: workerAccess(config.kubernetes),
    });
    this.#wakeAt(Date.now());
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#assembled.app.fetch(request);
  }

  /** Does not wait for the tick: a node that never answers would hold up the next alarm. */
  override async alarm(): Promise<void> {
    this.#alarm = undefined;
    this.ctx.waitUntil(this.tick());
  }

  /** Never rejects: the next tick is asked for already, and a rejected alarm would come again at once. */
  async tick(): Promise<void> {
    try {
      await this.#assembled.tick();
    } catch (error) {
      console.warn(`entrance: the timer's work failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #wakeAt(time: number): void {
    if (this.#alarm !== undefined && this.#alarm <= time) return;
    this.#alarm = time;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(time));
  }
}

function openStore({ store }: Config, storage: DurableObjectStorage): Store {
  switch (store.type) {
    case "embedded":
      return openDurableObjectStore(storage);
    case "dynamodb":
      return openDynamoDB(store);
    case "etcd":
      if (store.caFile !== undefined) failSetting("ENTRANCE_ETCD_CA", noFiles);
      if (store.client !== undefined) failSetting("ENTRANCE_ETCD_CERT", noFiles);
      return openEtcdGateway({ ...store, fetch: (url, init) => fetch(url, init) });
  }
}

const noFiles =
  "is a file, which a worker has not: give workerd the authority (NODE_EXTRA_CA_CERTS), or run Entrance in Node";

function theOne(bindings: Bindings): DurableObjectStub<Entrance> {
  return bindings.ENTRANCE.get(bindings.ENTRANCE.idFromName("entrance"));
}

export default {
  fetch: (request, bindings) => theOne(bindings).fetch(request),
  scheduled: (_event, bindings) => theOne(bindings).tick(),
} satisfies ExportedHandler<Bindings>;
