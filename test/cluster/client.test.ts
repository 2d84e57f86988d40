/** The client on a real API, in each of the ways by which one signs in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { stringify } from "yaml";
import { type KubeConfig, readKubeConfig } from "../../functions/kube-config.ts";
import { openKubeAccess } from "../../functions/kube-files.ts";
import { KubernetesClient } from "../../shared/kubernetes/client.ts";
import { seenKinds } from "../../shared/model/reference.ts";
import { Api, type KubeObject } from "./api.ts";
import { command } from "./command.ts";
import { adminToken } from "./control-plane.ts";
import { namespace, service } from "./objects.ts";

const facts = inject("field");
const within = "client";
const folder = mkdtempSync(path.join(tmpdir(), "entrance-client-"));
const api = new Api(facts.url, facts.caFile, adminToken);
const reader = { namespace: within, name: "reader" };
const tokenFile = path.join(folder, "token");

beforeAll(async () => {
  await api.apply(namespace(within));
  for (let index = 0; index < 25; index += 1) await api.apply(service(within, `s${String(index).padStart(2, "0")}`));
  await api.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: reader });
  const reads: KubeObject[] = [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "client-reader" },
      rules: [
        {
          apiGroups: ["", "networking.k8s.io", "discovery.k8s.io"],
          resources: ["services", "namespaces", "ingresses", "ingressclasses", "endpointslices"],
          verbs: ["list"],
        },
        { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "client-reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "client-reader" },
      subjects: [
        { kind: "ServiceAccount", ...reader },
        { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "tester" },
      ],
    },
  ];
  for (const object of reads) await api.must("PATCH", rolePath(object), object, "application/apply-patch+yaml");
  writeFileSync(tokenFile, await tokenOf());
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});

function rolePath({ kind, metadata }: KubeObject): string {
  return `/apis/rbac.authorization.k8s.io/v1/${kind?.toLowerCase()}s/${metadata.name}?fieldManager=test&force=true`;
}

async function tokenOf(): Promise<string> {
  const answer = await api.must("POST", `/api/v1/namespaces/${within}/serviceaccounts/reader/token`, {
    spec: { expirationSeconds: 600 },
  });
  return (answer["status"] as { token: string }).token;
}

function clientOf(settings: Readonly<Record<string, string>>): KubernetesClient {
  const config: KubeConfig | undefined = readKubeConfig((name) => settings[name]);
  const access = config === undefined ? undefined : openKubeAccess(config);
  if (access === undefined) throw new Error("no access");
  return new KubernetesClient(access);
}

const direct = { ENTRANCE_KUBE_API: facts.url, ENTRANCE_KUBE_CA: facts.caFile };

async function readsEverything(client: KubernetesClient): Promise<void> {
  expect(await client.clusterId()).toMatch(/^[0-9a-f-]{36}$/);
  for (const kind of seenKinds) {
    if (kind !== "Secret") expect((await client.list(kind, 10)).resourceVersion).toMatch(/^\d+$/);
  }
}

test("by a token in a file, one in the environment, a client's certificate, and a kubeconfig", async () => {
  await readsEverything(clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: tokenFile }));
  await readsEverything(clientOf({ ...direct, ENTRANCE_KUBE_TOKEN: await tokenOf() }));
  const { certificate, key } = facts.clientCertificate;
  await readsEverything(clientOf({ ...direct, ENTRANCE_KUBE_CERT: certificate, ENTRANCE_KUBE_KEY: key }));
  await readsEverything(clientOf({ ENTRANCE_KUBECONFIG: facts.kubeconfig }));
  const inline = path.join(folder, "kubeconfig");
  const base64 = (file: string) => readFileSync(file).toString("base64");
  writeFileSync(
    inline,
    stringify({
      contexts: [{ name: "other" }, { name: "one", context: { cluster: "c", user: "u" } }].slice(1),
      clusters: [
        { name: "c", cluster: { server: `${facts.url}/`, "certificate-authority-data": base64(facts.caFile) } },
      ],
      users: [{ name: "u", user: { "client-certificate-data": base64(certificate), "client-key-data": base64(key) } }],
    }),
  );
  await readsEverything(clientOf({ ENTRANCE_KUBECONFIG: inline, ENTRANCE_KUBE_CONTEXT: "one" }));
});

test("a token that was changed is used from the next request that the old one is refused for", async () => {
  const file = path.join(folder, "changing");
  writeFileSync(file, "not-a-token-of-this-cluster");
  const client = clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: file });
  await expect(client.clusterId()).rejects.toThrow(/does not take our token/);
  writeFileSync(file, `${await tokenOf()}\n`);
  await readsEverything(client);
});

test("an authority that did not sign is not trusted", async () => {
  const client = clientOf({ ENTRANCE_KUBE_API: facts.url, ENTRANCE_KUBE_TOKEN_FILE: tokenFile });
  await expect(client.clusterId()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/certificate/),
  });
});

test("a LIST in pages is of one version, though the cluster goes on", async () => {
  const client = clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: tokenFile });
  const first = await client.list("Service", 10);
  await api.apply(service(within, "s99-came-later"));
  const names = first.items.map(nameOf);
  let next = first.next;
  while (next !== undefined) {
    const page = await client.list("Service", 10, { after: next });
    expect(page.resourceVersion).toBe(first.resourceVersion);
    names.push(...page.items.map(nameOf));
    next = page.next;
  }
  expect(names.filter((name) => /^s\d\d$/.test(name))).toHaveLength(25);
  expect(names).not.toContain("s99-came-later");
});

test("a page that the API no longer knows is unavailable", async () => {
  const client = clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: tokenFile });
  const { next = "" } = await client.list("Service", 10);
  await api.apply(service(within, "s98-moves-on"));
  await command(facts.commands, { do: "compact" });
  // One that runs has pages of a while ago in its memory.
  await command(facts.commands, { do: "restart-apiserver", audit: null });
  await expect(client.list("Service", 10, { after: next })).rejects.toMatchObject({
    code: "unavailable",
    message: "cannot list services: the page is too old, begin anew",
  });
});

test("one object by its name, and the version as of which there is none", async () => {
  const client = clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: tokenFile });
  const named = { namespace: within, name: "s03" };
  const there = await client.list("Service", 1, { named });
  expect(there.items.map(nameOf)).toEqual(["s03"]);
  await api.delete(service(within, "s03"));
  const gone = await client.list("Service", 1, { named });
  expect(gone.items).toEqual([]);
  expect(BigInt(gone.resourceVersion)).toBeGreaterThan(BigInt(there.resourceVersion));
  expect((await client.list("Namespace", 1, { named: { namespace: "", name: within } })).items).toHaveLength(1);
});

test("what a role does not allow is told with what would be needed", async () => {
  const client = clientOf({ ...direct, ENTRANCE_KUBE_TOKEN_FILE: tokenFile });
  await expect(client.list("Secret", 1, { named: { namespace: within, name: "tls" } })).rejects.toMatchObject({
    code: "forbidden",
    message: `may not get Secret ${within}/tls: its role (RBAC) must allow that`,
  });
});

function nameOf(item: unknown): string {
  return (item as KubeObject).metadata.name;
}
