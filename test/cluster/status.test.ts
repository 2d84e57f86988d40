/** Where users look: `kubectl get ingress` has an address, and what is refused says why. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { datagram, hold } from "../node/l4/client.ts";
import { type KubeObject, until } from "./api.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { World } from "./world.ts";

let world: World;
const within = "stated";

beforeAll(async () => {
  world = await World.start();
  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"));
});

afterAll(async () => {
  await world?.stop();
});

interface Stated {
  readonly addresses: readonly string[];
  readonly refused: string | undefined;
  readonly version: string;
}

async function stated(object: KubeObject): Promise<Stated> {
  const found = await world.api.get(object);
  const { loadBalancer } = (found?.["status"] ?? {}) as {
    loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] };
  };
  return {
    addresses: (loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ""),
    refused: found?.metadata.annotations?.["status.entrance.dev/refused"],
    version: found?.metadata.resourceVersion ?? "",
  };
}

interface Event {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly reportingController: string;
}

/** Ours: others have something to say of a Service, too. */
async function eventsOf(name: string): Promise<Omit<Event, "reportingController">[]> {
  const selector = `regarding.name=${name}`;
  const args = ["-n", within, "get", "events.events.k8s.io", "--field-selector", selector, "-o", "json"];
  const { items } = JSON.parse((await world.kubectl(...args)).out) as { items: Event[] };
  const own = items.filter(({ reportingController }) => reportingController === "entrance.dev/entrance");
  return own.map(({ type, reason, note }) => ({ type, reason, note }));
}

/** Statuses are written some seconds after the change. Once this object has one, whatever came before it has had its turn. */
async function statesLater(object: KubeObject): Promise<void> {
  await world.apply(object);
  await until("a later one has an address", async () => (await stated(object)).addresses.includes("203.0.113.10"));
}

test("an Ingress gets the balancer's address, once", async () => {
  const route = ingress(within, "web", "www.stated.example");
  await world.apply(route);
  await until("it has an address", async () => (await stated(route)).addresses.includes("203.0.113.10"));
  expect((await world.kubectl("-n", within, "get", "ingress", "web")).out).toMatch(/203\.0\.113\.10/);
  const { version } = await stated(route);
  // Our own write is heard of, and nothing follows from that.
  await statesLater(ingress(within, "web-later", "other.stated.example", { to: "web" }));
  expect((await stated(route)).version).toBe(version);
});

test("one that leaves us takes our address with it, and nobody else's", async () => {
  const elsewhere = { to: "web", spec: { ingressClassName: "nginx" } };
  const leaving = ingress(within, "leaving", "leaving.stated.example", { to: "web" });
  const taken = ingress(within, "taken", "taken.stated.example", { to: "web" });
  await world.apply(leaving, taken);
  for (const route of [leaving, taken])
    await until("it has an address", async () => (await stated(route)).addresses.length > 0);
  await world.apply(ingress(within, "leaving", "leaving.stated.example", elsewhere));
  await until("it has none", async () => (await stated(leaving)).addresses.length === 0);

  // Whoever has it now was there before we came to take ours.
  await world.api.merge(taken, { status: { loadBalancer: { ingress: [{ ip: "198.51.100.1" }] } } }, "/status");
  await world.apply(ingress(within, "taken", "taken.stated.example", elsewhere));
  await statesLater(ingress(within, "taken-later", "later.stated.example", { to: "web" }));
  expect((await stated(taken)).addresses).toEqual(["198.51.100.1"]);
});

test("a Service of type LoadBalancer with our class is served at its ports, and told the address", async () => {
  const ports = [
    { name: "mysql", port: 33_080, targetPort: "main", protocol: "TCP" },
    { name: "dns", port: 33_081, targetPort: 5353, protocol: "UDP" },
  ];
  const spec = {
    type: "LoadBalancer",
    loadBalancerClass: "entrance.dev/openresty",
    allocateLoadBalancerNodePorts: false,
  };
  const balanced = service(within, "db", { ports: ports.slice(0, 1), spec });
  await world.apply(web(within, "db", 1, { kind: "tcp", port: 3306 }), balanced);
  await until("it has an address", async () => (await stated(balanced)).addresses.includes("203.0.113.10"));
  await until("a connection is answered by a pod", async () => {
    const held = await hold(33_080).catch(() => undefined);
    if (held === undefined) return false;
    try {
      return (await held.ask("hello\n")).startsWith("db-");
    } finally {
      held.socket.destroy();
    }
  });
  const dns = service(within, "dns", { ports: ports.slice(1), spec });
  await world.apply(web(within, "dns", 1, { kind: "udp", port: 5353 }), dns);
  await until("a datagram is answered by a pod", async () => {
    const [answer = ""] = await datagram(33_081, "hello", 1, 300).catch(() => []);
    return /^dns-.* hello$/.test(answer);
  });
  const foreign = service(within, "foreign", {
    ports: ports.slice(0, 1),
    spec: { ...spec, loadBalancerClass: "example.com/other" },
  });
  await world.apply(foreign);
  await statesLater(service(within, "foreign-later", { ports: [{ ...ports[0], port: 33_082 }], spec }));
  expect((await stated(foreign)).addresses).toEqual([]);
});

test("what is refused says why, by an annotation and an Event, until it is mended", async () => {
  await world.apply(namespace("stated-other"), service("stated-other", "web"));
  // It is refused by nobody at `kubectl apply`, since a faulty annotation came before Entrance did.
  const configurations = ["entrance"].map((name) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
  }));
  const kept = await Promise.all(configurations.map((configuration) => world.api.get(configuration)));
  for (const configuration of configurations) await world.api.delete(configuration);
  const faulty = service(within, "faulty", { annotations: { "entrance.dev/tcp": "99999:80" } });
  await world.apply(faulty);
  await world.installed.resync();
  const { refused } = await until("it says why", async () => {
    const found = await stated(faulty);
    return found.refused !== undefined && found;
  });
  expect(refused).toContain("entrance.dev/tcp");
  const events = await until("an Event says so, too", async () => {
    const found = await eventsOf("faulty");
    return found.length > 0 && found;
  });
  expect(events).toEqual([{ type: "Warning", reason: "Refused", note: refused }]);

  await world.apply(service(within, "faulty"));
  await world.installed.resync();
  await until("nothing is said any more", async () => (await stated(faulty)).refused === undefined);
  for (const configuration of kept) {
    if (configuration === undefined) continue;
    const { resourceVersion: _, uid: __, ...metadata } = configuration.metadata;
    await world.api.create({ ...configuration, metadata });
  }
});
