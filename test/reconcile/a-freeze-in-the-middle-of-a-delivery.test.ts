/** Between a delivery's first look at the head and its sending much is read: who is told to stop meanwhile stops. */
import { expect, test } from "vitest";
import { freeze, unfreeze } from "../../shared/operate/freeze.ts";
import { logPartition } from "../../shared/reconcile/keys.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { newModelNode } from "../harness/model-node.ts";
import { type Hold, pausedStore } from "../harness/paused-store.ts";
import { observed, seenIngress } from "../harness/seen.ts";

/** A process that is frozen with its first read of this partition, and nodes with it. */
function frozenAt(partition: string, nodes: TestEntrance["nodes"]) {
  const store = openMemoryStore();
  const first = newTestEntrance({ store, nodes });
  let isFrozen = false;
  const hold: Hold = async ({ phase, keys }) => {
    if (isFrozen || phase === "after" || keys[0]?.partition !== partition) return;
    isFrozen = true;
    await freeze(store, undefined, first.clock);
  };
  const second = newTestEntrance({ store: pausedStore(store, "second", hold), nodes });
  return { store, first, second, isFrozen: () => isFrozen };
}

async function routed(test: TestEntrance, name: string, version: number): Promise<void> {
  await test.entrance.observe([observed(seenIngress("shop", name, [`${name}.example`], "web"), version)]);
  await test.host.settled();
}

for (const [type, partition] of [
  ["changes", logPartition("openresty")],
  ["snapshot", "want/Ingress"],
] as const) {
  test(`of ${type} that were read by then nothing is sent; all of it after the freeze`, async () => {
    const node = newModelNode();
    const { store, first, second, isFrozen } = frozenAt(partition, new Map([["http://a", node]]));
    if (type === "changes") await routed(first, "before", 1);
    const before = node.accepted.length;
    node.reachable = false;
    await routed(first, "meanwhile", 2);
    node.reachable = true;
    await second.entrance.tick();
    await second.host.settled();
    expect(isFrozen()).toBe(true);
    expect(node.accepted).toHaveLength(before);

    await unfreeze(store, undefined);
    await second.entrance.tick();
    await second.host.settled();
    expect(node.accepted.slice(before)).toMatchObject([{ type }]);
  });
}
