/** Lambda beside a cluster: what is reviewed is read back, everything is listed, users are told; all of it by TLS. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../functions/status.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { dirtyKey, lockKey } from "../../shared/reconcile/keys.ts";
import { markText } from "../../shared/reconcile/mark.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { DynamoDBLocal, localKeys } from "../harness/dynamodb.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";
import { Lambda } from "../harness/lambda.ts";
import { eventOf, type LambdaAnswer, responseOf } from "../harness/lambda-events.ts";
import { KEY, request, startNode, type TestNode } from "../harness/node.ts";
import { ingress, ingressClass, type Json, namespace, review, service } from "../observe/wire.ts";

const token = "a-token-of-the-tests";
const kubeToken = "a-token-of-the-cluster";
const patience = { timeout: 60_000, interval: 200 };
const ingresses = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";

let folder: string;
let dynamoDb: DynamoDBLocal;
let api: KubernetesServer;
let node: TestNode;
let lambda: Lambda;
const table = randomUUID();

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-lambda-kubernetes-"));
  const [ofApi, ofNode] = [makeCertificate(["localhost"]), makeCertificate(["localhost"])];
  const [certificate, key] = [path.join(folder, "node.crt"), path.join(folder, "node.key")];
  writeFileSync(certificate, ofNode.chain);
  writeFileSync(key, ofNode.key);
  [dynamoDb, api, node] = await Promise.all([
    DynamoDBLocal.start(),
    KubernetesServer.start(ofApi),
    startNode({ adminTls: { certificate, key } }),
  ]);
  await dynamoDb.createTable(table);
  const nodes = [`https://localhost:${node.ports.admin}`];
  lambda = await Lambda.start({
    ENTRANCE_STORE: "dynamodb",
    ENTRANCE_DYNAMODB_TABLE: table,
    ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
    ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes, addresses: ["203.0.113.10"] }]),
    ENTRANCE_NODE_KEY: KEY,
    ENTRANCE_NODE_CA: ofNode.chain,
    ENTRANCE_WEBHOOK_TOKEN: token,
    ENTRANCE_KUBE_API: api.url,
    ENTRANCE_KUBE_CA: ofApi.chain,
    ENTRANCE_KUBE_TOKEN: kubeToken,
    ...localKeys,
  });
});

afterAll(async () => {
  api?.release();
  await lambda?.stop();
  await Promise.all([node?.stop(), api?.stop(), dynamoDb?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function call(target: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return responseOf((await lambda.invoke(eventOf("url", target, { ...init, headers }))) as LambdaAnswer);
}

/** As the node serves it: 404 while no rule has the host, 503 where no member is ready. */
async function served(host: string): Promise<number> {
  return (await request(node.ports.http, "/", { headers: { host } })).status;
}

const ingressOf = (host: string) => {
  const paths = [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }];
  return ingress({ rules: [{ host, http: { paths } }] });
};
const asked = (what: string) => api.asked.filter((each) => each === what).length;

describe("with a Kubernetes API", () => {
  test("a LIST that hangs holds up no other tick of the schedule's event", async () => {
    const isList = (what: string) => what === "GET /api/v1/namespaces";
    api.holds = isList;
    lambda.schedule();
    await expect.poll(() => api.asked.some(isList), patience).toBe(true);
    const store = openDynamoDB({
      table,
      endpoint: dynamoDb.endpoint,
      region: localKeys.AWS_REGION,
      credentials: { id: "local", secret: new SecretText("local"), session: undefined },
    });
    const lock = await store.get(lockKey);
    const key = dirtyKey({ kind: "Service", namespace: "shop", name: "web" });
    const dead = { holder: "dead", fence: 100, expires: Date.now() - 60_000 };
    const left = await store.commit(
      [{ key: lockKey, version: lock?.version ?? null }],
      [
        { key: lockKey, value: JSON.stringify(dead) },
        { key, value: markText(Date.now(), undefined) },
      ],
    );
    expect(left.ok).toBe(true);
    // The API is given 15 s before it is asked again; the timer comes every 5 s.
    await expect.poll(() => store.get(key), { timeout: 11_000, interval: 200 }).toBeUndefined();
    await store.close();
    api.release();
  });

  test("the schedule's event lists everything, brings it to the node, and writes the status", async () => {
    api.put("/api/v1/namespaces/shop", namespace());
    api.put("/apis/networking.k8s.io/v1/ingressclasses/entrance", ingressClass());
    api.put("/api/v1/namespaces/shop/services/web", service());
    api.put(`${ingresses}/listed`, ingressOf("listed.example"));
    api.release();
    await expect.poll(() => served("listed.example"), patience).toBe(503);
    expect(asked("GET /apis/networking.k8s.io/v1/ingresses")).toBe(1);
    const told = () => (api.get(`${ingresses}/listed`)?.["status"] as Json | undefined)?.["loadBalancer"];
    await expect.poll(told, patience).toEqual({ ingress: [{ ip: "203.0.113.10" }] });
    expect([...api.authorizations]).toEqual([`Bearer ${kubeToken}`]);
    expect(lambda.log).not.toContain(kubeToken);
  });

  test("what a review was of is read back by an event to itself, and is on the node long before the next LIST", async () => {
    const object = api.put(`${ingresses}/reviewed`, ingressOf("reviewed.example"));
    const reviewed = review("CREATE", "Ingress", { name: "reviewed", object });
    const before = lambda.ownInvocations;
    const answer = await call(`/admission/${token}`, { method: "POST", body: JSON.stringify(reviewed) });
    expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    expect(lambda.ownInvocations).toBeGreaterThan(before);
    // Nothing goes on after the answer: it is noted before it.
    const { heard } = (await (await call("/status")).json()) as Status;
    expect(heard?.review).toBeGreaterThan(Date.now() - 60_000);
    await expect.poll(() => served("reviewed.example"), patience).toBe(503);
    // By its name alone.
    expect(asked(`GET ${ingresses}/reviewed`) + asked(`GET ${ingresses}`)).toBeGreaterThan(0);
    expect(asked("GET /apis/networking.k8s.io/v1/ingresses")).toBe(1);
  });
});
