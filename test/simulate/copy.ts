/** One copy of Entrance: its real doors, turn, pusher and plugin, on the simulation's store, nodes and clock. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import { readConfig } from "../../functions/config.ts";
import { ProcessCounters } from "../../functions/counters.ts";
import type { Cluster } from "../../shared/kubernetes/port.ts";
import { openResty } from "../../shared/plugins/openresty/plugin.ts";
import { Entrance } from "../../shared/reconcile/entrance.ts";
import type { Balancer, Context, Host } from "../../shared/reconcile/settings.ts";
import type { Store } from "../../shared/store/port.ts";
import type { TranslationSettings } from "../../shared/translate/translation.ts";
import { Caller } from "./caller.ts";
import type { NodeServer } from "./node-server.ts";
import { plainRequest } from "./plain-web.ts";
import { poisoned } from "./poison.ts";
import type { Random } from "./random.ts";
import { open, planted, secrets } from "./secrets.ts";
import type { Time, Timer } from "./time.ts";
import type { Trace } from "./trace.ts";

/** On whose behalf code runs: an admission review may do less than the rest. */
const errand = new AsyncLocalStorage<"review" | "dry run" | "other">();

export interface CopyOptions {
  readonly name: string;
  /** Counts its lives. */
  readonly life: number;
  readonly time: Time;
  readonly random: Random;
  readonly trace: Trace;
  readonly storeFor: (caller: Caller) => Store;
  readonly nodes: ReadonlyMap<string, NodeServer>;
  readonly translation: TranslationSettings;
  readonly isSoleWriter: boolean;
  /** Its clock against the true time. */
  readonly skewMs: number;
  /** Without a timer of its own: woken by the minute alone (AWS Lambda). */
  readonly isLambda: boolean;
  readonly onFault: (sentence: string) => void;
  readonly timing: Context["timing"];
  readonly clusterFor: ((caller: Caller) => Cluster) | undefined;
  readonly generation: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const config = readConfig({});
/** One for all: each deadline comes some time, and a reason of its own would be made each time. */
const tookTooLong = new Error("the node took too long");

export class Copy {
  readonly name: string;
  readonly caller: Caller;
  readonly context: Context;
  readonly entrance: Entrance;
  readonly counters = new ProcessCounters();
  readonly #app: Hono;
  readonly #options: CopyOptions;
  #wakeMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.name = options.name;
    const { time, random, trace, translation, nodes } = options;
    this.caller = new Caller({
      name: options.name,
      time,
      random: random.fork(),
      trace,
      outlived: !options.isSoleWriter,
    });
    const plugin = openResty({
      key: undefined,
      fetch: (url, init) => {
        const node = nodes.get(new URL(url).origin);
        if (node === undefined) throw new Error(`no node at ${url}`);
        if (errand.getStore() !== "other") options.onFault(`8: ${options.name}: a review waits for a node`);
        return node.fetch(this.caller, url, init);
      },
      deadline: (ms) => this.#deadline(ms),
      open,
    });
    const balancers = translation.balancers.map(
      ({ name, classes }): Balancer => ({
        name,
        classes,
        plugin,
        nodes: [...nodes.values()].filter((node) => node.balancer === name).map((node) => node.url),
        addresses: [],
      }),
    );
    let ids = 0;
    this.context = {
      store: guarded(options.storeFor(this.caller), (what) => options.onFault(`8: ${options.name}: ${what}`)),
      isSoleWriter: options.isSoleWriter,
      balancers,
      translation,
      translate: poisoned,
      secrets,
      generation: options.generation,
      ...(options.clusterFor === undefined ? {} : { kubernetes: options.clusterFor(this.caller) }),
      timing: options.timing,
      host: this.#host(),
      now: () => Math.floor(time.nowMs + options.skewMs),
      randomId: () => {
        ids += 1;
        const id = `${options.name}-${options.life}-${ids}`;
        return [...id]
          .map((letter) => letter.charCodeAt(0).toString(16))
          .join("")
          .padEnd(32, "0")
          .slice(0, 32);
      },
      instance: `${options.name}-${options.life}`,
      counters: this.counters,
      warn: (sentence) => {
        trace.add(options.name, `warns: ${sentence}`);
        if (sentence.includes(planted)) options.onFault("9: a private key in the log");
      },
    };
    this.entrance = new Entrance(this.context);
    this.#app = createApp({ entrance: this.entrance, config, counters: this.counters });
    if (!options.isLambda) this.context.host.wakeAt(this.context.now());
  }

  /** What its listener answers; never, where it dies before. */
  request(path: string, body: unknown, of: "review" | "dry run" | "other"): Promise<Answer> {
    return new Promise((resolve) => {
      this.caller.go(() => {
        const request = plainRequest(`http://localhost${path}`, JSON.stringify(body));
        errand.run(of, async () => {
          const response = await this.#app.fetch(request);
          const text = this.#harmless(path, await response.text());
          resolve({ status: response.status, body: JSON.parse(text) });
        });
      });
    });
  }

  /** What it shows to people. */
  view(path: string): Promise<string> {
    return new Promise((resolve) => {
      this.caller.go(() => {
        errand.run("other", async () => {
          const response = await this.#app.fetch(plainRequest(`http://localhost${path}`));
          resolve(this.#harmless(path, await response.text()));
        });
      });
    });
  }

  #harmless(path: string, text: string): string {
    if (text.includes(planted)) this.#options.onFault(`9: a private key in what ${path} answers`);
    return text;
  }

  kill(): void {
    this.caller.kill();
    if (this.#timer !== undefined) this.#timer.cancelled = true;
  }

  #host(): Host {
    const { time, trace, name } = this.#options;
    return {
      after: (work) => {
        errand.run("other", () => {
          work().catch((error: unknown) => trace.add(name, `work after an answer failed: ${String(error)}`));
        });
      },
      wakeAt: (timeMs) => {
        if (this.#options.isLambda || timeMs >= this.#wakeMs) return;
        this.#wakeMs = timeMs;
        if (this.#timer !== undefined) this.#timer.cancelled = true;
        this.#timer = time.at(timeMs - this.#options.skewMs, () => this.caller.go(() => this.#wake()));
      },
    };
  }

  #wake(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY;
    this.context.host.after(() => this.entrance.tick());
  }

  #deadline(ms: number): AbortSignal {
    const controller = new AbortController();
    this.#options.time.after(ms, () => this.caller.go(() => controller.abort(tookTooLong)));
    return controller.signal;
  }
}

/** An admission review lists nothing, and a dry run writes nothing. */
function guarded(store: Store, onFault: (what: string) => void): Store {
  return {
    get: (key) => store.get(key),
    list: (partition, after, limit) => {
      if (errand.getStore() !== "other") onFault(`a review lists ${partition}`);
      return store.list(partition, after, limit);
    },
    commit: (checks, writes) => {
      if (errand.getStore() === "dry run") onFault("a dry run writes");
      return store.commit(checks, writes);
    },
    close: () => store.close(),
  };
}
