/** An etcd whose quota is soon used up, and what an operator then does. */
import type { EtcdCluster } from "./etcd.ts";

/** Some large values. */
export const smallestQuota = ["--quota-backend-bytes", String(4 * 1024 * 1024)];

export async function askEtcd(etcd: EtcdCluster, path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${etcd.urls[0]}${path}`, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

/** `etcdctl compact`, `etcdctl defrag` and `etcdctl alarm disarm`. */
export async function makeRoom(etcd: EtcdCluster): Promise<void> {
  const { header } = (await askEtcd(etcd, "/v3/kv/range", { key: "AA==" })) as { header: { revision: string } };
  await askEtcd(etcd, "/v3/kv/compaction", { revision: header.revision, physical: true });
  await askEtcd(etcd, "/v3/maintenance/defragment", {});
  const { alarms = [] } = (await askEtcd(etcd, "/v3/maintenance/alarm", { action: "GET" })) as {
    alarms?: { memberID: string; alarm: string }[];
  };
  for (const alarm of alarms) await askEtcd(etcd, "/v3/maintenance/alarm", { action: "DEACTIVATE", ...alarm });
}
