/** kube-apiserver's audit, as the guide has an operator set it up. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../infra/wrangler.ts";
import { command } from "./command.ts";
import { webhookToken } from "./installed.ts";
import type { World } from "./world.ts";

const folder = `${root}infra/kubernetes/audit`;

/** From now on the apiserver tells what has been committed. `more`: further flags of its. */
export async function turnAuditOn({ api, facts }: World, more: readonly string[] = []): Promise<void> {
  const service = await api.get({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "entrance", name: "entrance" },
  });
  const secret = await api.get({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "entrance", name: "entrance-certificate" },
  });
  const { clusterIP = "" } = (service?.["spec"] ?? {}) as { clusterIP?: string };
  const data = (secret?.["data"] ?? {}) as Readonly<Record<string, string>>;
  const webhookFile = path.join(facts.folder, "audit-webhook.yaml");
  const text = readFileSync(path.join(folder, "webhook.yaml"), "utf8")
    .replace("CLUSTER_IP", clusterIP)
    .replace(/\bCA$/m, data["ca.crt"] ?? "")
    .replace(/\bTOKEN$/m, webhookToken);
  writeFileSync(webhookFile, text);
  // The guide's; the default waits 30 s for a batch to fill.
  const batches = [
    "--audit-webhook-batch-max-wait=50ms",
    "--audit-webhook-batch-max-size=50",
    "--audit-webhook-batch-throttle-qps=100",
  ];
  await command(facts.commands, {
    do: "restart-apiserver",
    audit: { policyFile: path.join(folder, "policy.yaml"), webhookFile, more: [...batches, ...more] },
  });
}

export async function turnAuditOff({ facts }: World): Promise<void> {
  await command(facts.commands, { do: "restart-apiserver", audit: null });
}
