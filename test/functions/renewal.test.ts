/** What copies in a cluster serve with, as months go by: renewed once, and trusted all the time. */
import { once } from "node:events";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import * as v from "valibot";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { type Served, Serving } from "../../functions/serving/serving.ts";
import { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";

const secretPath = "/api/v1/namespaces/entrance/secrets/entrance-certificate";
const nodesPath = "/api/v1/namespaces/entrance-nodes/secrets/entrance-node-certificate";
const webhooksPath = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/entrance";
const config = readConfig({
  ENTRANCE_TLS_SECRET: "entrance/entrance-certificate",
  ENTRANCE_NODE_TLS_SECRET: "entrance-nodes/entrance-node-certificate",
  ENTRANCE_NODE_SERVICE: "entrance-nodes/entrance-nodes",
  ENTRANCE_WEBHOOKS: "entrance",
  ENTRANCE_WEBHOOK_TOKEN: "a-token-of-the-tests",
});
const dayMs = 86_400_000;
/** Handshakes look at this machine's clock: what serves at the end is good today, and what is told of lies before. */
const today = Date.now();
const Data = v.object({ data: v.record(v.string(), v.string()) });
const Webhooks = v.object({
  webhooks: v.tuple([v.object({ clientConfig: v.object({ caBundle: v.string(), service: v.looseObject({}) }) })]),
});

/** A copy of Entrance, as far as it serves. */
interface Copy {
  readonly server: Server;
  readonly lookAgain: () => Promise<void>;
  /** How often it was told of another certificate. */
  told: number;
}

let api: KubernetesServer;
let copies: Copy[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setInterval"] });
  api = await KubernetesServer.start();
  for (const path of [secretPath, nodesPath]) api.put(path, { type: "kubernetes.io/tls", data: {} });
  const service = { name: "entrance", namespace: "entrance" };
  api.put(webhooksPath, { webhooks: [{ name: "objects.entrance.dev", clientConfig: { service } }] });
  copies = [];
});

afterEach(async () => {
  for (const { server } of copies) server.close();
  await api.stop();
  vi.useRealTimers();
});

async function startCopy(): Promise<void> {
  const serving = new Serving(config, new KubernetesObjects(api.access));
  const server = createServer({ ...(await serving.first()) }, (_, response) => response.end("served")).listen(0);
  await once(server, "listening");
  const lookAgain = serving.follow((next: Served) => {
    server.setSecureContext(next);
    copy.told += 1;
  });
  const copy: Copy = { server, lookAgain, told: 0 };
  copies.push(copy);
}

/** So many days before today all copies look again, side by side; whoever is told of the authorities is served by all. */
async function lookAgain(days: number): Promise<void> {
  vi.setSystemTime(today - days * dayMs);
  await Promise.all(copies.map((copy) => copy.lookAgain()));
  const { clientConfig } = v.parse(Webhooks, api.get(webhooksPath)).webhooks[0];
  expect(clientConfig.service).toMatchObject({ path: "/admission/a-token-of-the-tests" });
  const ca = Buffer.from(clientConfig.caBundle, "base64").toString();
  for (const { server } of copies) expect(await ask(server, ca)).toBe("served");
}

function ask(server: Server, ca: string): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asked = request({ port, ca, servername: "entrance.entrance.svc", agent: false });
    asked.on("response", (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

const writesOf = (path: string) => api.writes.filter((write) => write === `PATCH ${path} 200`).length;
const kept = (path: string, name: string) =>
  Buffer.from(v.parse(Data, api.get(path)).data[name] ?? "", "base64").toString();
const certificates = (pem: string) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

test("certificates and the authority are renewed once by all copies, and each is trusted before it serves", async () => {
  vi.setSystemTime(today - 3_315 * dayMs);
  await Promise.all([startCopy(), startCopy()]);
  expect([writesOf(secretPath), writesOf(nodesPath)]).toEqual([1, 1]);
  const [first] = certificates(kept(secretPath, "ca.crt"));

  // The certificate's time has come long ago.
  await lookAgain(61);
  expect(writesOf(secretPath)).toBe(2);
  expect(copies.map(({ told }) => told)).toEqual([1, 1]);
  const served = kept(secretPath, "tls.crt");

  // Nothing is due, nothing is written.
  const before = api.writes.length;
  await lookAgain(60);
  expect(api.writes.length).toBe(before);

  // Of the authority's ten years less than one is left: the new one is trusted beside it, and has signed nothing yet.
  await lookAgain(10);
  expect(writesOf(secretPath)).toBe(3);
  expect(copies.map(({ told }) => told)).toEqual([1, 1]);
  const authorities = certificates(kept(secretPath, "ca.crt"));
  expect(authorities).toHaveLength(2);
  expect(authorities[0]).not.toBe(first);
  expect(authorities[1]).toBe(first);
  expect(kept(secretPath, "tls.crt")).toBe(served);
  // Nodes have what the old one signed, and learn of both.
  expect(certificates(kept(nodesPath, "ca.crt"))).toEqual(authorities);

  // The next certificate is the new one's.
  await lookAgain(0);
  expect(writesOf(secretPath)).toBe(4);
  expect(copies.map(({ told }) => told)).toEqual([2, 2]);
  for (const { server } of copies) expect(await ask(server, authorities[0] ?? "")).toBe("served");
});

test("an API that is away when something is due ends nothing: what there is serves on", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.setSystemTime(today - 61 * dayMs);
  await startCopy();
  const [copy] = copies;
  const ca = Buffer.from(v.parse(Webhooks, api.get(webhooksPath)).webhooks[0].clientConfig.caBundle, "base64");
  await api.stop();
  vi.setSystemTime(today);
  await copy?.lookAgain();
  expect(warned.mock.calls.join()).toMatch(/entrance: its certificate: .*does not answer/);
  expect(copy?.told).toBe(0);
  for (const { server } of copies) expect(await ask(server, ca.toString())).toBe("served");
});
