/** Nodes that are a balancer's no more, since machines come and go: nothing is kept of what went wrong with them. */
import { entriesOf } from "../store/entries.ts";
import { nodeRecordKey, nodesPartition } from "./keys.ts";
import type { Balancer, Context } from "./settings.ts";

/** Throws what the store throws. */
export async function forgetGoneNodes({ store }: Context, { name, nodes }: Balancer): Promise<void> {
  const there = new Set(nodes.map((node) => nodeRecordKey(name, node).sort));
  for await (const { key, version } of entriesOf(store, nodesPartition(name))) {
    if (!there.has(key.sort)) await store.commit([{ key, version }], [{ key, value: null }]);
  }
}
