/** A life by helm: installed whole, upgraded pod by pod while much changes, removed. */
import { execFile } from "node:child_process";
import { globSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import type { Status } from "../../functions/status.ts";
import { root } from "../../infra/wrangler.ts";
import { sealKey } from "../harness/secrets.ts";
import { Api, type KubeObject, until } from "./api.ts";
import { Churn } from "./churn.ts";
import { adminToken } from "./control-plane.ts";
import { webhookToken } from "./installed.ts";
import { helm, kubectl } from "./kubectl.ts";
import { leftOver } from "./left.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { chart, valuesFile } from "./rendered.ts";
import { Traffic } from "./traffic.ts";
import { visit } from "./visit.ts";

const execute = promisify(execFile);
const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
const nodeKey = "a-key-of-the-tests-nodes";
const within = "upgraded";
const balancer = { name: "openresty", classes: ["entrance"], addresses: ["203.0.113.10"] };
const endpoints = "http://entrance-etcd-0.entrance-etcd.entrance.svc:2379";
const podsPath = "/api/v1/namespaces/entrance/pods?labelSelector=app.kubernetes.io%2Fname%3Dentrance";
const own = ["entrance", "entrance-nodes", within];
const apply = (...objects: readonly KubeObject[]) => api.applyAll(...objects);
/** A visitor of the standing route, who is there all the time. */
const visiting = () => new Traffic(() => visit("www.upgraded.example"), { clients: 1, pauseMs: 20 });

beforeAll(async () => {
  for (const file of ["namespace.yaml", "node/namespace.yaml"]) {
    expect(await kubectl(facts, ["apply", "-f", path.join(chart, file)])).toMatchObject({ code: 0 });
  }
  await makeKeys();
  await api.create(secret("entrance-nodes", "entrance-node-key", { ENTRANCE_NODE_KEY: nodeKey }));
});

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(logs(), failedOpen());
});

afterAll(async () => {
  await helm(facts, ["uninstall", "entrance", "--namespace", "entrance", "--ignore-not-found"]);
  for (const name of own) await removeNamespace(name);
  for (const folder of ["/var/lib/entrance-node-state", "/var/lib/claims"]) {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("helm install: store, node and Entrance, and an Ingress is served", async () => {
  const installed = await run("install", [balancer]);
  expect(installed.code, installed.err).toBe(0);
  for (const each of ["statefulset/entrance-etcd", "deployment/entrance"]) await rolledOut("entrance", each);
  await rolledOut("entrance-nodes", "daemonset/entrance-node");
  await apply(namespace(within), web(within, "web", 2), service(within, "web"));
  await apply(ingress(within, "web", "www.upgraded.example"));
  await until("it is served", async () => (await visit("www.upgraded.example")) === 200, 60_000);
});

test("settings that change without their generation are refused before anything is done", async () => {
  const { code, err } = await run("upgrade", [{ ...balancer, classes: ["entrance", "edge"] }]);
  expect(code).not.toBe(0);
  expect(err).toMatch(/generation: set it to 1, since balancers' names or classes/);
});

test("helm upgrade with other settings, pod by pod while much changes: nothing is lost, nobody notices", {
  timeout: 300_000,
}, async () => {
  await apply(ingress(within, "edge", "edge.upgraded.example", { to: "web", spec: { ingressClassName: "edge" } }));
  const before = await visit("edge.upgraded.example");
  expect(before).toBe(404);
  await using traffic = visiting();
  const churn = new Churn(api, within);
  const old = await podsOf();
  const unheard = failedOpen().length;
  const upgraded = await run("upgrade", [{ ...balancer, classes: ["entrance", "edge"] }], { generation: 1 });
  expect(upgraded.code, upgraded.err).toBe(0);
  await rolledOut("entrance", "deployment/entrance");
  await until("the old pods are gone", async () => (await podsOf()).every((pod) => !old.includes(pod)));
  const { hosts, gone } = await churn.end();

  expect(hosts.length + gone.length).toBeGreaterThan(20);
  for (const host of [...hosts, "edge.upgraded.example"]) {
    await until(`${host} is served`, async () => (await visit(host)) === 200, 60_000);
  }
  for (const host of gone) await until(`${host} is gone`, async () => (await visit(host)) === 404, 60_000);
  const { requests, wrong } = await traffic.stop();
  expect(requests).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
  // No connection of the apiserver's ended under a review.
  expect(
    failedOpen()
      .slice(unheard)
      .filter((line) => /EOF|reset by peer|refused/.test(line)),
  ).toEqual([]);
});

test("the certificates and tokens that Entrance filled in outlive the upgrade", async () => {
  const configuration = await api.get({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "entrance" },
  });
  const webhooks = (configuration?.["webhooks"] ?? []) as Webhook[];
  expect(webhooks).toHaveLength(2);
  for (const { clientConfig } of webhooks) {
    expect(clientConfig.caBundle).toMatch(/^LS0t/);
    expect(clientConfig.service.path).toBe(`/admission/${webhookToken}`);
  }
});

test("what a person looks at on the worst day answers: through the apiserver, and in a pod", async () => {
  const raw = "/api/v1/namespaces/entrance/services/https:entrance:webhooks/proxy/readyz";
  expect((await kubectl(facts, ["get", "--raw", raw])).out).toMatch(/^ok\nlast review: \d+ s ago\n/);

  expect(JSON.parse(await look())).toMatchObject({ store: "etcd", list: "on" });
  expect(await look("/metrics")).toMatch(/^entrance_last_heard_seconds\{way="review"\} /m);
  expect(await operate("", "show")).toMatch(/^open, fence \d+\nbalancer openresty: store /);
  expect(await operate("", "freeze")).toContain("Frozen: openresty");
  expect(await operate("", "unfreeze")).toContain("Not frozen any more: openresty");
  await expect(look("no path")).rejects.toThrow("type it in a pod of Entrance");
});

test("a backup by standard output comes back by standard input, while the copies run", async () => {
  const backup = await operate("", "export", "-");
  await apply(ingress(within, "since", "since.upgraded.example", { to: "web" }));
  await until("it is served", async () => (await visit("since.upgraded.example")) === 200, 60_000);
  expect(await operate(backup, "import", "-", "--replace")).toMatch(/records of .* are in the store/);
  expect(await visit("www.upgraded.example")).toBe(200);
  // The backup has never heard of it: everything is listed anew.
  await apply(ingress(within, "later", "later.upgraded.example", { to: "web" }));
  for (const host of ["later.upgraded.example", "since.upgraded.example", "www.upgraded.example"]) {
    await until(`${host} is served`, async () => (await visit(host)) === 200, 60_000);
  }
});

test("a store that is gone begins empty, and nodes go on with a backup", { timeout: 300_000 }, async () => {
  const backup = await operate("", "export", "-");
  const type = async (...args: readonly string[]) =>
    expect(await kubectl(facts, ["-n", "entrance", ...args])).toMatchObject({ code: 0 });
  await type("delete", "statefulset", "entrance-etcd");
  await type("delete", "pvc", ...[0, 1, 2].map((member) => `data-entrance-etcd-${member}`));
  rmSync("/var/lib/claims", { recursive: true, force: true });
  expect(await visit("www.upgraded.example")).toBe(200);
  const made = await run("upgrade", [{ ...balancer, classes: ["entrance", "edge"] }], { generation: 1 });
  expect(made.code, made.err).toBe(0);
  await rolledOut("entrance", "statefulset/entrance-etcd");
  await type("rollout", "restart", "deployment/entrance");
  await rolledOut("entrance", "deployment/entrance");
  await operate(backup, "import", "-", "--replace");
  await apply(ingress(within, "anew", "anew.upgraded.example", { to: "web" }));
  for (const host of ["anew.upgraded.example", "www.upgraded.example"]) {
    await until(`${host} is served`, async () => (await visit(host)) === 200, 60_000);
  }
});

test("with its namespace deleted it is installed again over what is left of it, and nodes follow it once they are told", {
  timeout: 300_000,
}, async () => {
  await using traffic = visiting();
  await removeNamespace("entrance");
  rmSync("/var/lib/claims", { recursive: true, force: true });
  expect(await kubectl(facts, ["apply", "-f", path.join(chart, "namespace.yaml")])).toMatchObject({ code: 0 });
  await makeKeys();
  const installed = await run("install", [balancer], { generation: 2 });
  expect(installed.code, installed.err).toBe(0);
  for (const each of ["statefulset/entrance-etcd", "deployment/entrance"]) await rolledOut("entrance", each);

  // As the page for that day says: whose the nodes are, that everything is listed, and then the command.
  await apply(ingress(within, "again", "again.upgraded.example", { to: "web" }));
  await until("everything is listed", async () => (await status()).heard?.list, 60_000);
  await until("the new route is known", async () => (await domains()).includes("again.upgraded.example"), 60_000);
  await until("nodes refuse the new store", async () => (await faults()).some((each) => /another store/.test(each)));
  expect(await visit("again.upgraded.example")).toBe(404);
  expect(await operate("", "adopt", "openresty", "--yes")).toContain("Nodes of balancer openresty are adopted");
  await until("the new route is served", async () => (await visit("again.upgraded.example")) === 200, 60_000);
  await until("nothing is wrong with any node", async () => (await faults()).length === 0, 90_000);
  const { requests, wrong } = await traffic.stop();
  expect(requests).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

test("helm uninstall, and the namespaces: nothing is left, and the cluster takes writes", async () => {
  const { code, err } = await helm(facts, ["uninstall", "entrance", "--namespace", "entrance", "--wait"]);
  expect(code, err).toBe(0);
  // What is no object of the release: the keys, and what the store keeps.
  const rest = (await leftOver(api)).filter((object) => !/^(Secret|ConfigMap|ServiceAccount|Namespace) /.test(object));
  expect(rest.filter((object) => !object.startsWith("PersistentVolumeClaim entrance/"))).toEqual([]);
  for (const name of own.slice(0, 2)) await removeNamespace(name);
  expect(await leftOver(api)).toEqual([]);
  await apply(ingress(within, "after", "after.upgraded.example", { to: "web" }));
});

/** As by `kubectl exec -i`: a program of Entrance's image, in a pod that runs. */
async function inPod(program: string, args: readonly string[], input: string): Promise<string> {
  const pod = (await api.list(podsPath)).items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const { podIP = "" } = (pod?.["status"] ?? {}) as { podIP?: string };
  const env = {
    ENTRANCE_LISTEN: `${podIP}:8443`,
    ENTRANCE_WEBHOOK_TOKEN: `${webhookToken},another-token-of-the-tests`,
    ENTRANCE_STORE: "etcd",
    ENTRANCE_ETCD_ENDPOINTS: endpoints,
  };
  const running = execute(process.execPath, [`/opt/entrance/${program}`, ...args], { env });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

const operate = (input: string, ...args: readonly string[]) => inPod("operator.js", args, input);
const look = (...args: readonly string[]) => inPod("status.js", args, "");

async function status(): Promise<Status> {
  return JSON.parse(await look()) as Status;
}

async function domains(): Promise<string[]> {
  return (await status()).domains.map(({ name }) => name);
}

/** The last error of each node that has one. */
async function faults(): Promise<string[]> {
  return (await status()).balancers.flatMap(({ nodes }) => nodes).flatMap(({ error }) => error ?? []);
}

interface Webhook {
  readonly clientConfig: { readonly caBundle?: string; readonly service: { readonly path?: string } };
}

function run(verb: "install" | "upgrade", balancers: readonly object[], more: object = {}) {
  // A machine that is busy may let a review wait for too long: the LIST has its change soon, then.
  const values = valuesFile({ balancers, settings: { ENTRANCE_LIST_SECONDS: "20" }, ...more });
  return helm(facts, [verb, "entrance", chart, "--namespace", "entrance", "--values", values]);
}

async function rolledOut(namespace: string, what: string): Promise<void> {
  const { code, out, err } = await kubectl(facts, ["-n", namespace, "rollout", "status", what, "--timeout=150s"]);
  if (code !== 0) throw new Error(`${what}: ${out}${err}\n${logs()}`);
}

async function podsOf(): Promise<string[]> {
  const { items } = await api.list(podsPath);
  return items.map(({ metadata }) => metadata.name);
}

async function removeNamespace(name: string): Promise<void> {
  await api.delete(namespace(name));
  await until(`${name} is gone`, async () => (await api.get(namespace(name))) === undefined, 90_000);
}

async function makeKeys(): Promise<void> {
  const keys = { ENTRANCE_WEBHOOK_TOKEN: webhookToken, ENTRANCE_NODE_KEY: nodeKey, ENTRANCE_SEAL_KEY: sealKey };
  await api.create(secret("entrance", "entrance-keys", keys));
}

function secret(within: string, name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: within, name }, stringData };
}

/** Reviews that nobody answered: the LIST finds what they were of. */
function failedOpen(): string[] {
  const log = readFileSync(path.join(facts.folder, "control-plane/kube-apiserver.log"), "utf8");
  return log.split("\n").filter((line) => line.includes("failing open"));
}

function logs(): string {
  const files = globSync(path.join(facts.folder, "pods/entrance*/*.log"));
  return files.map((file) => `${path.relative(root, file)}\n${readFileSync(file, "utf8").slice(-2_000)}`).join("\n");
}
