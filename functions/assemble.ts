/** Puts store, plugins and host together for an entry; nothing else knows all of them. */
import type { Hono } from "hono";
import type { Access } from "../shared/kubernetes/access.ts";
import { KubernetesClient } from "../shared/kubernetes/client.ts";
import { KubernetesObjects } from "../shared/kubernetes/objects.ts";
import { KubernetesStatus } from "../shared/kubernetes/status.ts";
import type { SecretText } from "../shared/model/secret-text.ts";
import { openResty } from "../shared/plugins/openresty/plugin.ts";
import { Entrance } from "../shared/reconcile/entrance.ts";
import { defaultTiming, type Host } from "../shared/reconcile/settings.ts";
import { Sealer } from "../shared/sealing/sealer.ts";
import { secretKeeper } from "../shared/sealing/secret-keeper.ts";
import { inspect } from "../shared/sealing/x509.ts";
import type { Store } from "../shared/store/port.ts";
import { translate } from "../shared/translate/translate.ts";
import { createApp } from "./app.ts";
import { type BalancerConfig, type Config, translationSettings } from "./config.ts";
import { ProcessCounters } from "./counters.ts";
import { Discovery } from "./discovery.ts";
import type { Door } from "./door.ts";
import { nodeFinder } from "./find-nodes.ts";

export interface Assembled {
  readonly app: Hono;
  readonly entrance: Entrance;
  /** The timer's work. An API that does not answer is waited for at its end, and holds up nothing of it. */
  readonly tick: () => Promise<void>;
  /** Looks for nodes that are found by a Service: new ones are brought to the head, others forgotten. Never rejects. */
  readonly findNodes: () => Promise<void>;
}

/** What lies outside, where its platform has it. */
export interface Outside {
  /** To the Kubernetes API, where one is configured. */
  readonly access?: Access | undefined;
  /** How a balancer's nodes are called; the platform's own fetch where nothing else is said. */
  readonly fetchOf?: (balancer: BalancerConfig) => typeof fetch;
  /** Who may call the webhooks without a token. */
  readonly isKnownCaller?: Door["isKnownCaller"];
}

export function assemble(config: Config, store: Store, host: Host, outside: Outside = {}): Assembled {
  const { access, fetchOf, isKnownCaller } = outside;
  const counters = new ProcessCounters();
  const sealer = new Sealer(config.sealKeys);
  const instance = crypto.randomUUID().slice(0, 8);
  const discovery = new Discovery(access && new KubernetesObjects(access), config.balancers);
  const entrance = new Entrance({
    store,
    isSoleWriter: config.store.type === "embedded",
    balancers: config.balancers.map((balancer) => ({
      ...balancer,
      plugin: pluginFor(config.nodeKey, sealer, fetchOf?.(balancer)),
      get nodes() {
        return discovery.nodesOf(balancer);
      },
    })),
    translation: translationSettings(config),
    generation: config.generation,
    translate,
    secrets: secretKeeper(sealer, inspect),
    ...(access === undefined
      ? {}
      : {
          kubernetes: { api: new KubernetesClient(access), wait: access.wait },
          status: new KubernetesStatus(access, config.prefix, instance),
        }),
    timing: { ...defaultTiming, listMs: config.listMs },
    host,
    now: Date.now,
    randomId: () => crypto.randomUUID().replaceAll("-", ""),
    instance,
    counters,
    warn: (sentence) => console.warn(`entrance: ${sentence}`),
  });
  const findNodes = nodeFinder(entrance, discovery);
  const tick = async () => {
    const found = findNodes();
    try {
      await entrance.tick();
    } finally {
      // A host that stands still may not leave it behind.
      await found;
    }
  };
  return { app: createApp({ entrance, config, counters, isKnownCaller }), entrance, tick, findNodes };
}

function pluginFor(
  key: SecretText | undefined,
  sealer: Sealer,
  callNode: typeof fetch = (url, init) => fetch(url, init),
) {
  return openResty({ key, fetch: callNode, open: (secret) => sealer.open(secret) });
}
