/** Certificates by cert-manager, whose part is played here: Secrets for its Certificates, and the CA into webhooks. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { sealKey } from "../../harness/secrets.ts";
import { Api, type KubeObject, until } from "../api.ts";
import { Authority } from "../authority.ts";
import { adminToken } from "../control-plane.ts";
import { webhookToken } from "../installed.ts";
import { kubectl } from "../kubectl.ts";
import { ingress, namespace, service, web } from "../objects.ts";
import { chart } from "../rendered.ts";
import { visit } from "../visit.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
const nodeKey = "a-key-of-the-tests-nodes";
const within = "managed";
const crds = path.join(import.meta.dirname, "crds.yaml");
/** It looks at its files every minute, and kubelet brings them. */
const lookedAtMs = 90_000;
let authority: Authority;

beforeAll(async () => {
  authority = new Authority(path.join(facts.folder, "cert-manager"), "cert-manager's part");
  await done("apply", "-f", crds);
  await done("wait", "--for=condition=Established", "crd/certificates.cert-manager.io", "crd/issuers.cert-manager.io");
  for (const name of ["entrance", "entrance-nodes"]) await api.create(namespace(name));
  await api.create(settings());
  const keys = { ENTRANCE_WEBHOOK_TOKEN: webhookToken, ENTRANCE_NODE_KEY: nodeKey, ENTRANCE_SEAL_KEY: sealKey };
  await api.create(secret("entrance", "entrance-keys", keys));
  await api.create(secret("entrance-nodes", "entrance-node-key", { ENTRANCE_NODE_KEY: nodeKey }));
  for (const part of [".", "node"]) await done("apply", "-k", overlay(part));
});

afterAll(async () => {
  for (const part of [".", "node"]) await kubectl(facts, ["delete", "-k", overlay(part), "--ignore-not-found"]);
  await kubectl(facts, ["delete", "-f", crds, "--ignore-not-found"]);
  await api.delete(namespace(within));
  for (const name of [within, "entrance", "entrance-nodes"]) {
    await until(`${name} is gone`, async () => (await api.get(namespace(name))) === undefined, 90_000);
  }
  rmSync("/var/lib/entrance-node-state", { recursive: true, force: true });
});

test("nothing starts before cert-manager has made the certificates, and all of it does after", async () => {
  await until("its pods are bound", async () => (await podsOf()).length === 3);
  expect(await served()).toBeUndefined();
  await playCertManager(authority);
  for (const [space, what] of [
    ["entrance", "deployment/entrance"],
    ["entrance-nodes", "daemonset/entrance-node"],
  ] as const) {
    await done("-n", space, "rollout", "status", what, "--timeout=90s");
  }
  expect(await served()).toMatch(/cert-manager's part/);
});

test("the apiserver trusts what cert-manager injected, and Entrance leaves that as it is", async () => {
  const broken = service("default", "broken", { annotations: { "entrance.dev/tcp": "99999:80" } });
  await until("the webhook is asked", async () => {
    const { status, json } = await api.ask("POST", "/api/v1/namespaces/default/services?dryRun=All", broken);
    return status === 422 && JSON.stringify(json).includes("objects.entrance.dev");
  });
  for (const name of ["entrance", "entrance-endpointslices"]) {
    for (const { clientConfig } of await webhooksOf(name)) {
      expect(clientConfig.caBundle).toBe(Buffer.from(authority.pem()).toString("base64"));
      expect(clientConfig.service.path).toBe(`/admission/${webhookToken}`);
    }
  }
});

test("nodes are trusted by the certificate of their Secret", async () => {
  for (const object of [namespace(within), web(within, "web", 1), service(within, "web")]) await api.apply(object);
  await api.apply(ingress(within, "web", "www.managed.example"));
  await until("it is served", async () => (await visit("www.managed.example")) === 200);
});

test("a renewed certificate is served without a restart, by another authority, too", { timeout: 150_000 }, async () => {
  const pods = await podsOf();
  const next = new Authority(path.join(facts.folder, "cert-manager-next"), "the next authority");
  await playCertManager(next, ["entrance"]);
  await until("it serves the new one", async () => (await served())?.includes("the next authority"), lookedAtMs);
  await until("all copies do", async () => {
    const { items } = await api.list(podsPath);
    const all = await Promise.all(items.map(({ status }) => served((status as { podIP: string }).podIP)));
    return all.every((issuer) => issuer?.includes("the next authority"));
  });
  const broken = service("default", "broken", { annotations: { "entrance.dev/tcp": "99999:80" } });
  expect((await api.ask("POST", "/api/v1/namespaces/default/services?dryRun=All", broken)).status).toBe(422);
  expect(await podsOf()).toEqual(pods);
});

test("Entrance may not change the Secrets that cert-manager writes", async () => {
  const may = async (...what: readonly string[]) => {
    const as = "--as=system:serviceaccount:entrance:entrance";
    return (await kubectl(facts, ["auth", "can-i", ...what, as])).out.trim();
  };
  expect(await may("patch", "secret/entrance-certificate", "-n", "entrance")).toBe("no");
  expect(await may("get", "secret/entrance-node-certificate", "-n", "entrance-nodes")).toBe("yes");
  expect(await may("patch", "secret/entrance-node-certificate", "-n", "entrance-nodes")).toBe("no");
});

interface Certificate extends KubeObject {
  readonly spec: { readonly secretName: string; readonly dnsNames?: readonly string[]; readonly isCA?: boolean };
}

/** For every Certificate that is no authority its Secret, and for every webhook that asks for it the CA. */
async function playCertManager(
  by: Authority,
  namespaces: readonly string[] = ["entrance", "entrance-nodes"],
): Promise<void> {
  for (const space of namespaces) {
    const { items } = await api.list(`/apis/cert-manager.io/v1/namespaces/${space}/certificates`);
    const leaves = (items as readonly Certificate[]).filter(({ spec }) => spec.isCA !== true);
    expect(leaves).toHaveLength(1);
    for (const { metadata, spec } of leaves) {
      const { certificate, key } = by.issue(`/CN=${metadata.name}`, spec.dnsNames);
      const pair = { "tls.crt": readFileSync(certificate, "utf8"), "tls.key": readFileSync(key, "utf8") };
      const made = secret(space, spec.secretName, { ...pair, "ca.crt": by.pem() });
      const { status, json } = await api.apply({ ...made, type: "kubernetes.io/tls" });
      expect(status, JSON.stringify(json)).toBeLessThan(300);
    }
  }
  for (const name of ["entrance", "entrance-endpointslices"]) {
    const found = await configuration(name);
    expect(found?.metadata.annotations?.["cert-manager.io/inject-ca-from"]).toBe("entrance/entrance");
    const patch = ((found?.["webhooks"] ?? []) as Webhook[]).map((_, index) => ({
      op: "add",
      path: `/webhooks/${index}/clientConfig/caBundle`,
      value: Buffer.from(by.pem()).toString("base64"),
    }));
    await api.must("PATCH", `${configurations}/${name}`, patch, "application/json-patch+json");
  }
}

const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

interface Webhook {
  readonly clientConfig: { readonly caBundle?: string; readonly service: { readonly path?: string } };
}

async function configuration(name: string): Promise<KubeObject> {
  return api.must("GET", `${configurations}/${name}`);
}

async function webhooksOf(name: string): Promise<readonly Webhook[]> {
  return ((await configuration(name))["webhooks"] ?? []) as readonly Webhook[];
}

/** Who signed what a copy serves; undefined: none does. */
async function served(address?: string): Promise<string | undefined> {
  const host = address ?? (await addressOf());
  if (host === undefined) return undefined;
  return new Promise((resolve) => {
    const options = { host, port: 8443, path: "/healthz", rejectUnauthorized: false, agent: false };
    const asked = request(options, (answer) => {
      const { issuer } = (answer.socket as import("node:tls").TLSSocket).getPeerCertificate();
      answer.resume();
      resolve(issuer.CN?.toString());
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

const podsPath = "/api/v1/namespaces/entrance/pods?labelSelector=app.kubernetes.io%2Fname%3Dentrance";

async function podsOf(): Promise<string[]> {
  return (await api.list(podsPath)).items.map(({ metadata }) => metadata.name).sort();
}

async function addressOf(): Promise<string | undefined> {
  const [pod] = (await api.list(podsPath)).items;
  return (pod?.["status"] as { podIP?: string } | undefined)?.podIP;
}

/** A kustomization as the guide says, with the component. */
function overlay(part: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "cert-manager-"));
  symlinkSync(chart, path.join(folder, "kubernetes"));
  const base = path.join("kubernetes", part);
  const text = `resources: [${base}]\ncomponents: [${path.join(base, "cert-manager")}]\n`;
  writeFileSync(path.join(folder, "kustomization.yaml"), text);
  return folder;
}

function settings(): KubeObject {
  const balancer = { name: "openresty", classes: ["entrance"], service: "entrance-nodes/entrance-node:admin" };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "entrance", name: "entrance-settings" },
    data: {
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: facts.store,
      ENTRANCE_ETCD_PREFIX: `cert-manager-${process.pid}`,
      ENTRANCE_BALANCERS: JSON.stringify([balancer]),
      ENTRANCE_NODE_TLS_SECRET: "entrance-nodes/entrance-node-certificate",
      ENTRANCE_NODE_SERVICE: "entrance-nodes/entrance-node",
    },
  };
}

function secret(space: string, name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: space, name }, stringData };
}

async function done(...args: readonly string[]): Promise<void> {
  const { code, out, err } = await kubectl(facts, args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${out}${err}`);
}
