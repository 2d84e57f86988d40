/** Entrance goes: all at once by its own command, or its namespace from under its webhooks. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { type KubeObject, until } from "./api.ts";
import { leftOver } from "./left.ts";
import { ingress, namespace, service, tlsSecret, web } from "./objects.ts";
import { World } from "./world.ts";

const within = "removed";
let world: World;

beforeAll(async () => {
  world = await World.start();
  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"));
  await world.apply(ingress(within, "web", "www.removed.example"));
  await world.answers("www.removed.example", 200);
});

afterAll(async () => {
  await world?.stop();
  await world?.api.delete(namespace(within));
});

test("none of its objects has a finalizer, nor has any that it wrote to", async () => {
  for (const path of [
    "/api/v1/namespaces/entrance/secrets",
    "/apis/apps/v1/namespaces/entrance/deployments",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    `/api/v1/namespaces/${within}/services`,
    `/apis/networking.k8s.io/v1/namespaces/${within}/ingresses`,
  ]) {
    const { items } = await world.api.list(path);
    expect(items.length).toBeGreaterThan(0);
    for (const { metadata } of items) expect((metadata as { finalizers?: unknown }).finalizers).toBeUndefined();
  }
});

test("with its namespace gone and its webhooks left the cluster takes writes of every kind, and nodes serve", async () => {
  expect(await world.api.delete(namespace("entrance"))).toBeLessThan(300);
  // While its pods end, and after.
  await everyWrite("while");
  await until("its namespace is gone", async () => (await world.api.get(namespace("entrance"))) === undefined, 90_000);
  expect(await leftOver(world.api)).toContain("ValidatingWebhookConfiguration /entrance");
  await everyWrite("after");
  expect((await world.node.get("www.removed.example")).status).toBe(200);
});

test("its own command takes the rest away", async () => {
  await world.installed.remove();
  expect(await leftOver(world.api)).toEqual([]);
  expect((await world.node.get("www.removed.example")).status).toBe(200);
});

/** Created, changed and deleted: what our webhooks are asked about. */
async function everyWrite(name: string): Promise<void> {
  const secret = tlsSecret(within, name, makeCertificate([`${name}.removed.example`]));
  const slice: KubeObject = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: within, name, labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [],
    ports: [],
  };
  const objects = [
    namespace(`removed-${name}`),
    service(within, name),
    ingress(within, name, `${name}.removed.example`),
    secret,
    slice,
  ];
  await world.apply(...objects);
  for (const object of objects) {
    await world.api.merge(object, { metadata: { labels: { changed: "yes" } } });
    expect(await world.api.delete(object), `${object.kind} ${object.metadata.name}`).toBeLessThan(300);
  }
}
