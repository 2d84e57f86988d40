/** Puts store, plugins and host together for an entry; nothing else knows all of them. */
import type { Hono } from "hono";
import type { Access } from "../shared/kubernetes/access.ts";
import { KubernetesClient } from "../shared/kubernetes/client.ts";
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
import { type Config, translationSettings } from "./config.ts";
import { ProcessCounters } from "./counters.ts";

export interface Assembled {
  readonly app: Hono;
  readonly entrance: Entrance;
}

/** `access`: to the Kubernetes API, where one is configured. */
export function assemble(config: Config, store: Store, host: Host, access?: Access): Assembled {
  const counters = new ProcessCounters();
  const sealer = new Sealer(config.sealKeys);
  const instance = crypto.randomUUID().slice(0, 8);
  const entrance = new Entrance({
    store,
    isSoleWriter: config.store.type === "embedded",
    balancers: config.balancers.map((balancer) => ({ ...balancer, plugin: pluginFor(config.nodeKey, sealer) })),
    translation: translationSettings(config),
    translate,
    secrets: secretKeeper(sealer, inspect),
    ...(access === undefined
      ? {}
      : {
          kubernetes: { api: new KubernetesClient(access), wait: access.wait },
          status: new KubernetesStatus(access, config.prefix, instance),
        }),
    timing: defaultTiming,
    host,
    now: Date.now,
    randomId: () => crypto.randomUUID().replaceAll("-", ""),
    instance,
    counters,
    warn: (sentence) => console.warn(`entrance: ${sentence}`),
  });
  return { app: createApp({ entrance, config, counters }), entrance };
}

function pluginFor(key: SecretText | undefined, sealer: Sealer) {
  return openResty({ key, fetch: (url, init) => fetch(url, init), open: (secret) => sealer.open(secret) });
}
