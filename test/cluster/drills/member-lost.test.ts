/** A member of the store loses its volume, and comes back by the steps of the page for that day; the others serve on. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { root } from "../../../infra/wrangler.ts";
import { Api, type KubeObject, until } from "../api.ts";
import { adminToken } from "../control-plane.ts";
import { kubectl } from "../kubectl.ts";
import { namespace } from "../objects.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
const lost = "entrance-etcd-1";
const claims = "/var/lib/claims/entrance";

beforeAll(async () => {
  await api.apply(namespace("entrance"));
  await type("apply", "-k", path.join(root, "infra/kubernetes/etcd"));
  await type("-n", "entrance", "rollout", "status", "statefulset/entrance-etcd", "--timeout=90s");
});

afterAll(async () => {
  await api.delete(namespace("entrance"));
  await until("the namespace is gone", async () => (await api.get(namespace("entrance"))) === undefined, 90_000);
  rmSync(claims, { recursive: true, force: true });
});

test("with the steps of the page", { timeout: 300_000 }, async () => {
  await etcdctl("put", "before", "kept");
  await type("-n", "entrance", "delete", "statefulset", "entrance-etcd", "--cascade=orphan");
  await type("-n", "entrance", "delete", "pvc", `data-${lost}`, "--wait=false");
  await type("-n", "entrance", "delete", "pod", lost, "--ignore-not-found", "--force");
  await until("the pod is gone", async () => (await api.get(pod(lost))) === undefined, 60_000);
  rmSync(path.join(claims, `data-${lost}`), { recursive: true });

  const members = await etcdctl("member", "list");
  const id = members
    .split("\n")
    .find((line) => line.includes(lost))
    ?.split(",")[0];
  expect(id).toMatch(/^[0-9a-f]+$/);
  await healthy("member", "remove", id ?? "");
  await healthy("member", "add", lost, `--peer-urls=http://${lost}.entrance-etcd.entrance.svc:2380`);
  const state = "--from-literal=ETCD_INITIAL_CLUSTER_STATE=existing";
  await type("-n", "entrance", "create", "configmap", "entrance-etcd", state);
  await type("apply", "-k", path.join(root, "infra/kubernetes/etcd"));
  await type("-n", "entrance", "rollout", "status", "statefulset/entrance-etcd", "--timeout=120s");

  expect((await etcdctl("endpoint", "health", "--cluster")).match(/is healthy/g)).toHaveLength(3);
  expect(await etcdctl("get", "before", "--print-value-only")).toBe("kept\n");
  expect((await etcdctl("member", "list")).match(/started/g)).toHaveLength(3);
});

test("the commands for a quota that is used up reach all members", { timeout: 60_000 }, async () => {
  expect((await etcdctl("defrag", "--cluster")).match(/Finished defragmenting etcd member/g)).toHaveLength(3);
  expect(await etcdctl("alarm", "disarm")).toBe("");
});

/** `kubectl -n entrance exec entrance-etcd-0 -- etcdctl …`: with what the pod says where etcd listens. */
async function etcdctl(...args: readonly string[]): Promise<string> {
  const { spec } = (await api.get(pod("entrance-etcd-0"))) as {
    spec?: { containers: { env: { name: string; value?: string }[] }[] };
  };
  const said = spec?.containers[0]?.env.find(({ name }) => name === "ETCDCTL_ENDPOINTS")?.value ?? "";
  const env = { ...process.env, ETCDCTL_ENDPOINTS: said.replace("$(POD_NAME)", "entrance-etcd-0") };
  return (await promisify(execFile)(facts.etcdctl, [...args], { env })).stdout;
}

/** As the page says: tried again while the others wait for the one that is gone. */
function healthy(...args: readonly string[]): Promise<unknown> {
  const asked = () =>
    etcdctl(...args).catch((error: unknown) => {
      if (!String(error).includes("unhealthy cluster")) throw error;
    });
  return until("the others agree that it is gone", asked);
}

function pod(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: "entrance", name } };
}

async function type(...args: readonly string[]): Promise<void> {
  const { code, out, err } = await kubectl(facts, args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${out}${err}`);
}
