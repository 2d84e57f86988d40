/** Looks at the store and at the nodes all the while: nothing that only goes up goes down. */
import { setTimeout as sleep } from "node:timers/promises";
import { readHead } from "../../../shared/reconcile/head.ts";
import { headKey, lockKey } from "../../../shared/reconcile/keys.ts";
import type { Store } from "../../../shared/store/port.ts";
import type { TestNode } from "../../harness/node.ts";

const everyMs = 200;

interface Revision {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
}

export class Watch {
  readonly faults: string[] = [];
  readonly #store: Store;
  readonly #nodes: readonly TestNode[];
  readonly #last = new Map<string, Revision>();
  #fence = 0;
  #isOver = false;
  #loops: Promise<void>[] = [];

  constructor(store: Store, nodes: readonly TestNode[]) {
    this.#store = store;
    this.#nodes = nodes;
  }

  start(): void {
    const looks = [
      async () => this.#seen("the head", readHead(await this.#store.get(headKey("openresty")))),
      async () => this.#fenceIs(JSON.parse((await this.#store.get(lockKey))?.value ?? "{}").fence ?? 0),
      ...this.#nodes.map((node, place) => async () => this.#seen(`node ${place}`, await node.state())),
    ];
    this.#loops = looks.map((look) => this.#loop(look));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #loop(look: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      // Whoever is stopped or killed at the moment shows nothing.
      await look().catch(() => undefined);
      await sleep(everyMs);
    }
  }

  #seen(who: string, now: Revision | undefined): void {
    const last = this.#last.get(who);
    if (now === undefined || now.store === "") {
      if (last !== undefined) this.faults.push(`${who} has lost revision ${last.revision}`);
      return;
    }
    this.#last.set(who, now);
    if (last === undefined) return;
    const isLower = now.epoch < last.epoch || (now.epoch === last.epoch && now.revision < last.revision);
    if (now.store !== last.store || isLower) {
      this.faults.push(`${who} goes from ${last.epoch}/${last.revision} down to ${now.epoch}/${now.revision}`);
    }
  }

  #fenceIs(fence: number): void {
    if (fence < this.#fence) this.faults.push(`the fence goes from ${this.#fence} down to ${fence}`);
    this.#fence = fence;
  }
}
