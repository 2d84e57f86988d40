/** Entrance with a store of its own, model nodes and a clock that a test moves. */

import { ProcessCounters } from "../../functions/counters.ts";
import type { Plugin } from "../../shared/plugins/port.ts";
import { Entrance } from "../../shared/reconcile/entrance.ts";
import { type Context, defaultTiming, type Host } from "../../shared/reconcile/settings.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { translate } from "../../shared/translate/translate.ts";
import type { TranslationSettings } from "../../shared/translate/translation.ts";
import { type ModelNode, modelPlugin, newModelNode } from "./model-node.ts";
import { usualSecrets } from "./secrets.ts";

/** Collects what is to be done after answers, so that a test can wait for all of it. */
export class TestHost implements Host {
  readonly #running = new Set<Promise<void>>();
  readonly faults: unknown[] = [];
  wake: number | undefined;

  after(work: () => Promise<void>): void {
    const promise = work()
      .catch((error: unknown) => {
        this.faults.push(error);
      })
      .finally(() => this.#running.delete(promise));
    this.#running.add(promise);
  }

  wakeAt(timeMs: number): void {
    this.wake = Math.min(this.wake ?? timeMs, timeMs);
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

export interface TestEntrance {
  readonly entrance: Entrance;
  readonly context: Context;
  readonly host: TestHost;
  readonly nodes: ReadonlyMap<string, ModelNode>;
  readonly counters: ProcessCounters;
  readonly warnings: string[];
  clock: number;
  node(name?: string): ModelNode;
}

export const usualTranslation = {
  balancers: [{ name: "openresty", classes: ["entrance"] }],
  prefix: "entrance.dev",
  sealKeys: usualSecrets.ids,
} as const satisfies TranslationSettings;

export const testNode = "http://node-1";

/** One balancer `openresty`, class `entrance`, unless said otherwise. */
export function newTestEntrance(
  options: Partial<Context> & { nodes?: ReadonlyMap<string, ModelNode>; plugin?: Plugin; startMs?: number } = {},
): TestEntrance {
  const nodes = options.nodes ?? new Map([[testNode, newModelNode()]]);
  const plugin = options.plugin ?? modelPlugin(nodes);
  const host = new TestHost();
  const counters = new ProcessCounters();
  const warnings: string[] = [];
  const [{ name, classes }] = usualTranslation.balancers;
  const balancer = { name, classes, plugin, nodes: [...nodes.keys()], addresses: [] };
  let ids = 0;
  const context: Context = {
    store: openMemoryStore(),
    isSoleWriter: false,
    balancers: [balancer],
    translation: usualTranslation,
    translate,
    secrets: usualSecrets.keeper,
    timing: defaultTiming,
    host,
    now: () => test.clock,
    randomId: () => {
      ids += 1;
      return String(ids).padStart(32, "0");
    },
    instance: "test",
    counters,
    warn: (sentence) => warnings.push(sentence),
    ...options,
  };
  const test: TestEntrance = {
    entrance: new Entrance(context),
    context,
    host,
    nodes,
    counters,
    warnings,
    clock: options.startMs ?? 1_000_000,
    node(name = testNode) {
      const node = nodes.get(name);
      if (node === undefined) throw new Error(`no node ${name}`);
      return node;
    },
  };
  return test;
}
