/** A whole in one process: what plays the API server, the doors, and a real node behind them. */
import { Cluster, type Outcome } from "../../infra/local/cluster.ts";
import { ClusterStore } from "../../infra/local/cluster-store.ts";
import type { Manifest } from "../../infra/local/manifest.ts";
import { newTestDoors, type TestDoors } from "./doors.ts";
import { startNode, type TestNode } from "./node.ts";
import { recordedPlugin } from "./recorded-node.ts";
import { sealKey } from "./secrets.ts";
import { webhooksOf } from "./webhooks.ts";

export interface TestCluster {
  readonly node: TestNode;
  readonly doors: TestDoors;
  /** When it returns, the node has what it should have. */
  readonly apply: (object: Manifest) => Promise<Outcome>;
  readonly stop: () => Promise<void>;
}

export async function startTestCluster(): Promise<TestCluster> {
  const node = await startNode();
  const { plugin } = recordedPlugin(node.key);
  const nodes = [`http://127.0.0.1:${node.ports.admin}`];
  const doors = newTestDoors(
    { ENTRANCE_SEAL_KEY: sealKey },
    { balancers: [{ name: "openresty", classes: ["entrance"], plugin, nodes, addresses: [] }] },
  );
  const cluster = new Cluster(new ClusterStore(":memory:"), webhooksOf(doors, true));
  return { node, doors, apply: (object) => cluster.apply(object), stop: () => node.stop() };
}
