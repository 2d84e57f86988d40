/** Secrets are read by name where a route refers to them, with no more rights than that takes, and rotated without a gap. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { requestTls } from "../harness/https.ts";
import { type KubeObject, until } from "./api.ts";
import { turnAuditOff, turnAuditOn } from "./audit.ts";
import { ingress, namespace, service, tlsSecret, web } from "./objects.ts";
import { Traffic } from "./traffic.ts";
import { World } from "./world.ts";

let world: World;
const allowed = "may-be-read";
const closed = "may-not-be-read";
const host = "early.example";
const passwords = ["the-first-of-two-passwords", "the-second-of-two-passwords"] as const;
const account = "system:serviceaccount:entrance:entrance";

/** Without a label, so that no review tells of it. */
function users(within: string, password: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "users", namespace: within },
    type: "kubernetes.io/basic-auth",
    stringData: { username: "ann", password },
  };
}

const signedIn = (password: string) => ({ authorization: `Basic ${btoa(`ann:${password}`)}` });
const served = () => requestTls(world.node.ports.https, host);
const numberOf = ({ chain }: Pair) => chain.replaceAll(/-----[A-Z ]+-----|\s/g, "");

async function isServed(pair: Pair): Promise<boolean> {
  const { status, certificate: given } = await served();
  return status === 200 && given.raw.toString("base64") === numberOf(pair);
}

/** One is asked for, which follows the last by some seconds, and has ended. */
async function listed(): Promise<void> {
  const last = async () => (await world.installed.status()).heard?.list ?? 0;
  const before = await last();
  await world.installed.resync();
  await until("a LIST after that", async () => (await last()) > before);
}

beforeAll(async () => {
  world = await World.start();
  for (const within of [allowed, closed]) {
    await world.apply(namespace(within), web(within, "web", 1), service(within, "web"), users(within, passwords[0]));
  }
});

afterAll(async () => {
  await turnAuditOff(world);
  await world?.stop();
});

test("no role allows to list them, nor to see more than their content", async () => {
  const may = async (...words: readonly string[]) =>
    (await world.kubectl("auth", "can-i", ...words, "--as", account)).out.trim();
  expect(await may("get", "secrets", "-n", allowed)).toBe("yes");
  for (const verb of ["list", "watch", "create", "patch", "update", "delete"]) {
    expect(await may(verb, "secrets", "-n", allowed)).toBe("no");
    expect(await may(verb, "secrets", "-A")).toBe("no");
  }
  // But for the one that it keeps its own certificate in.
  expect(await may("patch", "secrets/entrance-certificate", "-n", "entrance")).toBe("yes");
  expect(await may("patch", "secrets/entrance-keys", "-n", "entrance")).toBe("no");
});

test("one that nothing refers to is known to nobody; it is read as soon as something does", async () => {
  const pair = makeCertificate([host]);
  await world.apply(tlsSecret(allowed, "tls", pair));
  // Those of other tests are others' business.
  const known = async () =>
    (await world.installed.status()).certificates.map(({ namespace, secret }) => `${namespace}/${secret}`);
  // Whatever might follow its review has followed by the time that something after it has.
  await world.apply(ingress(allowed, "after", "after.example", { to: "web" }));
  await world.answers("after.example", 200);
  expect(await known()).not.toContain(`${allowed}/tls`);
  await listed();
  expect(await known()).not.toContain(`${allowed}/tls`);

  await world.apply(
    ingress(allowed, "early", host, { to: "web", spec: { tls: [{ hosts: [host], secretName: "tls" }] } }),
  );
  await until("https is served", () => isServed(pair));
});

test("it is rotated without a gap: each request is answered, with the old one or the new one", async () => {
  await using traffic = new Traffic(async () => (await served()).status);
  for (let time = 0; time < 5; time += 1) {
    const next = makeCertificate([host]);
    await world.apply(tlsSecret(allowed, "tls", next));
    await until("the new one is served", () => isServed(next), 10_000);
  }
  const { requests, wrong } = await traffic.stop();
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(20);
});

test("where audit tells of it, one that no review tells of is rotated at once, too", async () => {
  await turnAuditOn(world);
  await world.apply(
    ingress(allowed, "guarded", "guarded.example", { annotations: { "entrance.dev/auth-secret": "users" }, to: "web" }),
  );
  const answers = async (password: string) =>
    (await world.node.get("guarded.example", "/", { headers: signedIn(password) })).status;
  await until("the first password opens", async () => (await answers(passwords[0])) === 200);
  expect(await answers(passwords[1])).toBe(401);
  await world.apply(users(allowed, passwords[1]));
  await until("the second password opens", async () => (await answers(passwords[1])) === 200);
  expect(await answers(passwords[0])).toBe(401);
});

test("namespace by namespace: who refers to one that may not be read is told, and nothing else suffers", async () => {
  await world.api.must("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/entrance-secrets");
  const bind = (within: string) =>
    world.kubectl(
      ...["-n", within, "create", "rolebinding", "entrance-secrets", "--clusterrole=entrance-secrets"],
      "--serviceaccount=entrance:entrance",
    );
  expect(await bind(allowed)).toMatchObject({ code: 0 });
  const annotations = { "entrance.dev/auth-secret": "users" };
  const route = ingress(closed, "guarded", "closed.example", { annotations, to: "web" });
  await world.apply(route);
  await world.answers("closed.example", 503);
  const sentence = `let a role allow to get secrets in the namespace ${closed}`;
  await until("the route's status says why", async () => {
    const found = await world.api.get(route);
    return found?.metadata.annotations?.["status.entrance.dev/refused"]?.includes(sentence);
  });
  // Whoever applies it again reads it there.
  expect((await world.kubectlApply(route)).err).toContain(sentence);

  // The LIST, too, goes on with all that it may read.
  await listed();
  expect((await served()).status).toBe(200);

  // The role comes, and the next LIST reads it.
  expect(await bind(closed)).toMatchObject({ code: 0 });
  await world.installed.resync();
  await until("its users are known", async () => {
    const { status } = await world.node.get("closed.example", "/", { headers: signedIn(passwords[0]) });
    return status === 200;
  });
});

test("nothing of them stands in a log or in the status", async () => {
  const said = `${world.installed.logs(Number.POSITIVE_INFINITY)} ${JSON.stringify(await world.installed.status())}`;
  for (const secret of [...passwords, ...passwords.map((password) => btoa(password)), "PRIVATE KEY"]) {
    expect(said).not.toContain(secret);
  }
});
