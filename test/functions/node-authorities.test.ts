/** Whom Entrance trusts when it calls nodes by https: its own authority, and what ENTRANCE_NODE_CA names, side by side. */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";
import { SecureEntrance } from "../harness/secure-entrance.ts";
import { service, slice } from "../observe/wire.ts";

const patience = { timeout: 30_000, interval: 100 };
let entrance: SecureEntrance;
let api: KubernetesServer;
let nodes: FakeNode[];

/** It counts who got as far as to ask it something. */
interface FakeNode {
  readonly server: Server;
  readonly port: number;
  asked: number;
}

beforeEach(async () => {
  entrance = await SecureEntrance.prepare();
  api = await KubernetesServer.start();
  nodes = [];
});

afterEach(async () => {
  await entrance.remove();
  for (const { server } of nodes) server.close();
  await api.stop();
});

async function startNode({ chain, key }: Pair): Promise<FakeNode> {
  const server = createServer({ cert: chain, key }, (_, response) => {
    node.asked += 1;
    response.writeHead(500).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const node: FakeNode = { server, port: (server.address() as AddressInfo).port, asked: 0 };
  nodes.push(node);
  return node;
}

test.each<[string, (chain: string) => string]>([
  ["a file", (chain) => entrance.write("named.crt", chain)],
  ["the text itself", (chain) => chain],
])("nodes of a Service are called by its name, whoever of both signed for them: %s", async (_, as) => {
  const name = "nodes.edge.svc";
  const [ours, named, stranger] = [makeCertificate([name]), makeCertificate([name]), makeCertificate([name])];
  const [byUs, byNamed, byStranger] = [await startNode(ours), await startNode(named), await startNode(stranger)];
  for (const { port } of nodes) {
    api.put(`/apis/discovery.k8s.io/v1/namespaces/edge/endpointslices/nodes-${port}`, {
      ...slice({ ports: [{ name: "admin", port, protocol: "TCP" }], endpoints: [{ addresses: ["127.0.0.1"] }] }),
      metadata: { labels: { "kubernetes.io/service-name": "nodes" } },
    });
  }
  api.put("/api/v1/namespaces/edge/services/nodes", service());
  api.put("/api/v1/namespaces/edge/secrets/nodes", { data: { "ca.crt": Buffer.from(ours.chain).toString("base64") } });
  const served = makeCertificate(["localhost"]);
  entrance.start({
    ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", service: "edge/nodes:admin" }]),
    ENTRANCE_KUBE_API: api.url,
    ENTRANCE_TLS_CERT: entrance.write("tls.crt", served.chain),
    ENTRANCE_TLS_KEY: entrance.write("tls.key", served.key),
    ENTRANCE_NODE_TLS_SECRET: "edge/nodes",
    ENTRANCE_NODE_CA: as(named.chain),
  });
  await expect.poll(() => [byUs.asked > 0, byNamed.asked > 0], patience).toEqual([true, true]);
  expect(byStranger.asked).toBe(0);
});
