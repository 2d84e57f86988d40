/** Entrance in workerd, outside of the cluster, with a service account's token: the same client, reviews and statuses. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { requestTls } from "../harness/https.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { sealKey } from "../harness/secrets.ts";
import { Api, type KubeObject, until } from "./api.ts";
import { adminToken } from "./control-plane.ts";
import { Front } from "./front.ts";
import { kubectl } from "./kubectl.ts";
import { ingress, namespace, service, tlsSecret, web } from "./objects.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
const within = "workerd";
const host = "www.workerd.example";
const address = "203.0.113.44";
const webhookToken = "a-token-for-workerd";
const manifests = path.join(root, "infra/kubernetes");
let node: TestNode;
let entrance: EntranceProcess;
let front: Front;

async function apply(...objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const { status, json } = await api.apply(object);
    if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${JSON.stringify(json)}`);
  }
}

/** Rights as they are given in a cluster, and nothing else of it. */
const rights = ["namespace", "service-account", "cluster-role", "secrets", "secrets-everywhere/binding"].flatMap(
  (name) => ["-f", path.join(manifests, `${name}.yaml`)],
);

function webhook(): KubeObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "entrance-in-workerd" },
    webhooks: [
      {
        name: "objects.workerd.example",
        clientConfig: { url: `${front.url}/admission/${webhookToken}`, caBundle: front.caBundle },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], resources: ["services", "secrets"], operations: ["*"] },
          {
            apiGroups: ["networking.k8s.io", "discovery.k8s.io"],
            apiVersions: ["v1"],
            resources: ["ingresses", "ingressclasses", "endpointslices"],
            operations: ["*"],
          },
        ],
        failurePolicy: "Ignore",
        sideEffects: "NoneOnDryRun",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}

const tls = { tls: [{ hosts: [host], secretName: "tls" }] };

beforeAll(async () => {
  const given = await kubectl(facts, ["apply", ...rights]);
  if (given.code !== 0) throw new Error(given.err);
  await apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "entrance" },
    spec: { controller: "entrance.dev/openresty" },
  });
  const token = await api.must("POST", "/api/v1/namespaces/entrance/serviceaccounts/entrance/token", { spec: {} });
  node = await startNode();
  entrance = await EntranceProcess.start({
    platform: "workerd",
    nodes: [],
    environment: {
      ENTRANCE_BALANCERS: JSON.stringify([
        { name: "openresty", nodes: [`http://127.0.0.1:${node.ports.admin}`], addresses: [address] },
      ]),
      ENTRANCE_KUBE_API: facts.url,
      ENTRANCE_KUBE_TOKEN: (token["status"] as { token: string }).token,
      ENTRANCE_WEBHOOK_TOKEN: webhookToken,
      ENTRANCE_SEAL_KEY: sealKey,
      // workerd's own: it trusts the cluster's authority.
      NODE_EXTRA_CA_CERTS: facts.caFile,
    },
  });
  front = await Front.start(entrance.url);
  await api.create(webhook());
  await apply(namespace(within), web(within, "web", 1), service(within, "web"));
});

afterAll(async () => {
  if (front !== undefined) await api.delete(webhook());
  await front?.stop();
  await entrance?.stop();
  await node?.stop();
  await kubectl(facts, ["delete", "--ignore-not-found", "namespace", within]);
  await kubectl(facts, ["delete", "--ignore-not-found", "ingressclass", "entrance"]);
  await kubectl(facts, ["delete", "--ignore-not-found", ...rights]);
});

async function isServed(pair: Pair): Promise<boolean> {
  const { status, certificate: given } = await requestTls(node.ports.https, host);
  return status === 200 && pair.chain.replaceAll(/\s/g, "").includes(given.raw.toString("base64"));
}

test("what is reviewed is read back and served, with its Secret, and users are told the address", async () => {
  const pair = makeCertificate([host]);
  await apply(tlsSecret(within, "tls", pair), ingress(within, "web", host, { spec: tls }));
  await until("https is served", () => isServed(pair));
  const next = makeCertificate([host]);
  await apply(tlsSecret(within, "tls", next));
  await until("the next certificate is served", () => isServed(next));
  await until("kubectl shows the address", async () =>
    (await kubectl(facts, ["-n", within, "get", "ingress", "web"])).out.includes(address),
  );
});

test("what can't be used is refused at kubectl apply", async () => {
  const faulty = service(within, "faulty", { annotations: { "entrance.dev/tcp": "99999:80" } });
  const said = await kubectl(facts, ["apply", "-f", "-"], JSON.stringify(faulty));
  expect(said.err).toMatch(/denied the request: annotation entrance\.dev\/tcp: "99999:80": .*; write /);
});

test("what no webhook tells of is found by the LIST, and told by an Event where it is refused", async () => {
  await api.delete(webhook());
  const many = Array.from({ length: 12 }, (_, index) => `many-${index}.workerd.example`);
  await apply(...many.map((each, index) => ingress(within, `many-${index}`, each, { to: "web" })));
  await apply(service(within, "faulty", { annotations: { "entrance.dev/tcp": "99999:80" } }));
  const headers = { authorization: `Bearer ${webhookToken}` };
  await until("all of them are served", async () => {
    await (await entrance.fetch("/resync", { method: "POST", headers })).body?.cancel();
    const answers = await Promise.all(many.map((each) => node.get(each)));
    if (answers.every(({ status }) => status === 200)) return true;
    await sleep(500);
    return false;
  });
  await until("an Event says why", async () => {
    const { out } = await kubectl(facts, ["-n", within, "events", "--for", "service/faulty", "-o", "json"]);
    return out.includes("entrance.dev/tcp");
  });
  expect(entrance.log).not.toContain("PRIVATE KEY");
});
