/** Applications as they live: they have certificates and ports, they are scaled, rolled and deleted. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { requestTls } from "../harness/https.ts";
import { request } from "../harness/node.ts";
import { datagram, hold } from "../node/l4/client.ts";
import { type KubeObject, until } from "./api.ts";
import { ingress, namespace, service, tlsSecret, web } from "./objects.ts";
import { Traffic } from "./traffic.ts";
import { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world?.stop();
});

const longLived = (host: string) => makeCertificate([host], { until: "20360101000000Z" });
/** They serve on for as long as a busy machine may take to tell the node. */
const drainMs = 3_000;
const trafficTo = (host: string) => new Traffic(async () => (await world.node.get(host)).status);

test("a certificate from a Secret is presented, and replaced without a gap", async () => {
  const within = "secured";
  const host = "secured.example";
  await world.apply(
    namespace(within),
    tlsSecret(within, "tls", longLived(host)),
    web(within, "web", 1),
    service(within, "web"),
  );
  await world.apply(ingress(within, "web", host, { spec: { tls: [{ hosts: [host], secretName: "tls" }] } }));
  const ask = () => requestTls(world.node.ports.https, host);
  const first = await until("https is served", async () => {
    const answer = await ask();
    return answer.status === 200 && answer;
  });
  // Plain http is led there.
  expect((await world.node.get(host)).status).toBe(308);

  // A handshake that is refused is a wrong answer, too.
  await using traffic = new Traffic(async () => (await ask()).status);
  await world.apply(tlsSecret(within, "tls", longLived(host)));
  const seen = await until("the new certificate is presented", async () => {
    const answer = await ask();
    return answer.certificate.fingerprint256 !== first.certificate.fingerprint256 && answer;
  });
  expect(seen.certificate.checkHost(host)).toBe(host);
  const { requests, wrong } = await traffic.stop();
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(5);
});

test("a Secret that comes after the Ingress that names it is found", async () => {
  const within = "later";
  const host = "later.example";
  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"));
  await world.apply(ingress(within, "web", host, { spec: { tls: [{ hosts: [host], secretName: "tls" }] } }));
  await world.apply(tlsSecret(within, "tls", longLived(host)));
  await until(
    "https is served",
    async () => (await requestTls(world.node.ports.https, host).catch(() => undefined))?.status === 200,
  );
});

test("ports for TCP and UDP lead to pods", async () => {
  const within = "ports";
  await world.apply(
    namespace(within),
    web(within, "db", 2, { kind: "tcp", port: 3306 }),
    service(within, "db", {
      annotations: { "entrance.dev/tcp": "33061:3306" },
      ports: [{ name: "main", port: 3306, targetPort: "main" }],
    }),
    web(within, "dns", 1, { kind: "udp", port: 5353 }),
    service(within, "dns", {
      annotations: { "entrance.dev/udp": "5300:53" },
      ports: [{ name: "main", port: 53, targetPort: "main", protocol: "UDP" }],
    }),
  );
  await until("a connection is answered by a pod", async () => {
    const held = await hold(33_061).catch(() => undefined);
    if (held === undefined) return false;
    try {
      return (await held.ask("hello\n")).startsWith("db-");
    } finally {
      held.socket.destroy();
    }
  });
  await until("a datagram is answered by a pod", async () => {
    const [answer = ""] = await datagram(5_300, "hello", 1, 300).catch(() => []);
    return /^dns-.* hello$/.test(answer);
  });
});

test("pods that are added get requests, pods that go get none and lose none", async () => {
  const within = "scaled";
  const host = "scaled.example";
  const app = web(within, "web", 1, { drainMs });
  await world.apply(namespace(within), app, service(within, "web"), ingress(within, "web", host));
  await world.answers(host, 200);
  const deployment: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: within },
  };

  await using traffic = trafficTo(host);
  await world.api.merge(deployment, { spec: { replicas: 3 } });
  await until("three pods answer", () => world.podsAnswer(host, 3));
  await world.api.merge(deployment, { spec: { replicas: 1 } });
  await until("one pod answers", () => world.podsAnswer(host, 1));
  await until(
    "the others have ended",
    async () => (await world.api.list(`/api/v1/namespaces/${within}/pods`)).items.length === 1,
  );
  const { requests, wrong } = await traffic.stop();
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(50);
  // Nor was one asked that was gone already: another pod would have made that good.
  expect(await failedTries(host)).toBe(0);
});

test("an application is rolled under traffic without a wrong answer", async () => {
  const within = "rolled";
  const host = "rolled.example";
  const app = web(within, "web", 2, { drainMs });
  await world.apply(namespace(within), app, service(within, "web"), ingress(within, "web", host));
  await until("both pods answer", () => world.podsAnswer(host, 2));
  const before = await world.pods(host, 8);

  await using traffic = trafficTo(host);
  const rolled = await world.kubectl("-n", within, "rollout", "restart", "deployment/web");
  expect(rolled).toMatchObject({ code: 0 });
  expect(await world.kubectl("-n", within, "rollout", "status", "deployment/web", "--timeout=60s")).toMatchObject({
    code: 0,
  });
  await until("none of the old pods answers", async () => (await world.pods(host, 8)).intersection(before).size === 0);
  const { requests, wrong } = await traffic.stop();
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(50);
});

test("what is deleted is gone, one object or a whole namespace", async () => {
  const within = "gone";
  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"));
  await world.apply(
    ingress(within, "one", "one.gone.example", { to: "web" }),
    ingress(within, "two", "two.gone.example", { to: "web" }),
  );
  await world.answers("one.gone.example", 200);
  await world.answers("two.gone.example", 200);

  await world.api.delete(ingress(within, "one", ""));
  await world.answers("one.gone.example", 404);
  expect((await world.node.get("two.gone.example")).status).toBe(200);

  expect(await world.kubectl("delete", "namespace", within, "--timeout=60s")).toMatchObject({ code: 0 });
  await world.answers("two.gone.example", 404);
  const { domains } = await world.installed.status();
  expect(domains.filter(({ name }) => name.endsWith(".gone.example"))).toEqual([]);
});

/** Of the node's requests for this host, whatever pool they met. */
async function failedTries(host: string): Promise<number> {
  const { text } = await request(world.node.ports.health, "/metrics");
  const lines = text.split("\n").filter((line) => line.startsWith("entrance_node_failed_tries_total"));
  const own = lines.filter((line) => line.includes(`"Rule/${host}/`));
  expect(own).not.toEqual([]);
  return own.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
