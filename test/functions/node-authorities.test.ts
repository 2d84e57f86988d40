/** Whom Entrance trusts when it calls nodes by https: its own authority, and what ENTRANCE_NODE_CA names, side by side. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";
import { service, slice } from "../observe/wire.ts";

const patience = { timeout: 30_000, interval: 100 };
let folder: string;
let api: KubernetesServer;
let nodes: FakeNode[];
let child: ChildProcess | undefined;

/** It counts who got as far as to ask it something. */
interface FakeNode {
  readonly server: Server;
  readonly port: number;
  asked: number;
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-authorities-"));
  api = await KubernetesServer.start();
  nodes = [];
});

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  for (const { server } of nodes) server.close();
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
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

function start(environment: Readonly<Record<string, string>>): void {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  child = spawn(process.execPath, [path.join(root, "functions/node.ts")], { env, stdio: "ignore" });
}

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

test.each<[string, (chain: string) => string]>([
  ["a file", (chain) => write("named.crt", chain)],
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
  const [port = 0] = await freePorts(1);
  start({
    ENTRANCE_LISTEN: `127.0.0.1:${port}`,
    ENTRANCE_DATA: path.join(folder, "store"),
    ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", service: "edge/nodes:admin" }]),
    ENTRANCE_KUBE_API: api.url,
    ENTRANCE_TLS_CERT: write("tls.crt", served.chain),
    ENTRANCE_TLS_KEY: write("tls.key", served.key),
    ENTRANCE_NODE_TLS_SECRET: "edge/nodes",
    ENTRANCE_NODE_CA: as(named.chain),
  });
  await expect.poll(() => [byUs.asked > 0, byNamed.asked > 0], patience).toEqual([true, true]);
  expect(byStranger.asked).toBe(0);
});
