/** A plugin for real nodes that remembers what each was sent. */
import { SecretText } from "../../shared/model/secret-text.ts";
import { openResty } from "../../shared/plugins/openresty/plugin.ts";
import type { Delivery, Plugin } from "../../shared/plugins/port.ts";
import { usualSecrets } from "./secrets.ts";

export type Sent =
  | { readonly type: "state" }
  | { readonly type: "snapshot"; readonly revision: number; readonly keys: readonly string[] }
  | {
      readonly type: "changes";
      readonly base: number;
      readonly revision: number;
      readonly changed: readonly string[];
      readonly gone: readonly string[];
    };

export function recordedPlugin(key: string): { readonly plugin: Plugin; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const plugin = openResty({
    key: new SecretText(key),
    fetch: (url, init) => fetch(url, init),
    open: (secret) => usualSecrets.sealer.open(secret),
  });
  return {
    sent,
    plugin: {
      state(node, timeoutMs) {
        sent.push({ type: "state" });
        return plugin.state(node, timeoutMs);
      },
      deliver(node, delivery, timeoutMs) {
        sent.push(sentOf(delivery));
        return plugin.deliver(node, delivery, timeoutMs);
      },
    },
  };
}

function sentOf(delivery: Delivery): Sent {
  const { resources, target } = delivery;
  const keysOf = (isGone: boolean) =>
    resources
      .filter(({ value }) => (value === null) === isGone)
      .map(({ key }) => key)
      .sort();
  if (delivery.type === "snapshot") return { type: "snapshot", revision: target.revision, keys: keysOf(false) };
  const { base } = delivery;
  return { type: "changes", base, revision: target.revision, changed: keysOf(false), gone: keysOf(true) };
}
