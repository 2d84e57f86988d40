/** The entry for workerd: one Durable Object is the embedded store's one process, and Entrance runs in it. */
import { DurableObject } from "cloudflare:workers";
import { openDurableObjectStore } from "../shared/store/durable-object.ts";
import { type Assembled, assemble } from "./assemble.ts";
import { readConfig } from "./config.ts";

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
    this.#assembled = assemble(readConfig(bindings), openDurableObjectStore(state.storage), {
      after: (work) => state.waitUntil(work()),
      wakeAt: (time) => this.#wakeAt(time),
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
      await this.#assembled.entrance.tick();
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

function theOne(bindings: Bindings): DurableObjectStub<Entrance> {
  return bindings.ENTRANCE.get(bindings.ENTRANCE.idFromName("entrance"));
}

export default {
  fetch: (request, bindings) => theOne(bindings).fetch(request),
  scheduled: (_event, bindings) => theOne(bindings).tick(),
} satisfies ExportedHandler<Bindings>;
