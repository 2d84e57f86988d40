/** Callers of the webhooks who show a certificate instead of a token. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { Authority, type Issued, type IssuedParts } from "../cluster/authority.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { doorBodies } from "../harness/door-bodies.ts";
import { KubernetesServer } from "../harness/kubernetes-server.ts";
import { SecureEntrance } from "../harness/secure-entrance.ts";

const patience = { timeout: 20_000 };
const token = "a-token-of-the-webhooks";
const name = "entrance.svc";

let entrance: SecureEntrance;

beforeEach(async () => {
  entrance = await SecureEntrance.prepare();
});

afterEach(() => entrance.remove());

function start(environment: Readonly<Record<string, string>>): void {
  entrance.start({
    ENTRANCE_LISTEN: `0.0.0.0:${entrance.port}`,
    ENTRANCE_WEBHOOK_TOKEN: token,
    ...environment,
  });
}

/** Settings of a certificate in files. */
function files(): Record<string, string> {
  const { chain, key } = makeCertificate([name]);
  return { ENTRANCE_TLS_CERT: entrance.write("tls.crt", chain), ENTRANCE_TLS_KEY: entrance.write("tls.key", key) };
}

const authority = (each: string) => new Authority(entrance.path(each), each);
const client = (by: Authority, parts: IssuedParts = {}) =>
  by.issue("/CN=kube-apiserver", [], { usage: "clientAuth", ...parts });

interface Caller {
  readonly issued?: Issued;
  readonly token?: string;
}

/** The status, on a connection of its own; 0: none. */
function call(target: string, { issued, token: presented }: Caller = {}): Promise<number> {
  const body = doorBodies[target.replace(/^(\/admission)\/.*/, "$1")];
  return new Promise((resolve) => {
    const asked = request({
      host: "127.0.0.1",
      port: entrance.port,
      path: target,
      agent: false,
      rejectUnauthorized: false,
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        ...(presented === undefined ? {} : { authorization: `Bearer ${presented}` }),
      },
      ...(issued === undefined ? {} : { cert: readFileSync(issued.certificate), key: readFileSync(issued.key) }),
    });
    asked.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on("error", () => resolve(0));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const isUp = () => expect.poll(() => call("/healthz"), patience).toBe(200);

test("a certificate of theirs opens the webhooks, and nothing of the operators'; a token goes on", async () => {
  const [ours, others] = [authority("ours"), authority("others")];
  start({ ...files(), ENTRANCE_CLIENT_CA: ours.pem() });
  await isUp();
  const known = { issued: client(ours) };
  const opened: string[] = [];
  const paths = ["/admission", "/admission/no-token-of-anyone", "/audit"];
  const operators = ["/resync", "/store", "/status", "/metrics", "/"];
  for (const target of [...paths, ...operators]) {
    const status = await call(target, known);
    expect([200, 401]).toContain(status);
    if (status === 200) opened.push(target);
  }
  expect(opened).toEqual(paths);

  const strangers: Caller[] = [
    {},
    { issued: client(others) },
    { issued: client(ours, { days: -1 }) },
    // What the same authority has signed for a server.
    { issued: client(ours, { usage: "serverAuth" }) },
    { token: "no-token-of-anyone" },
  ];
  for (const stranger of strangers) {
    for (const target of ["/admission", "/audit"]) expect(await call(target, stranger)).toBe(401);
    expect(await call("/audit", { ...stranger, token })).toBe(200);
  }
  expect(await call("/status", { token })).toBe(200);
});

test("another file of authorities counts without a restart, and one that can't be used leaves what there was", async () => {
  const [first, second] = [authority("first"), authority("second")];
  const one = { issued: client(first) };
  const other = { issued: client(second) };
  const file = entrance.write("clients.crt", first.pem());
  start({ ...files(), ENTRANCE_CLIENT_CA: file });
  await isUp();
  expect([await call("/audit", one), await call("/audit", other)]).toEqual([200, 401]);
  const session = await sessionOf(one.issued);
  expect(await resumed(session)).toBe("200 resumed");

  entrance.write("clients.crt", second.pem());
  entrance.signal("SIGHUP");
  await expect.poll(() => call("/audit", other), patience).toBe(200);
  expect(await call("/audit", one)).toBe(401);
  // A session of before says nothing any more.
  expect(await resumed(session)).toBe("401 new");

  // Another certificate of our own takes nothing away, and comes while the authorities can't be read.
  entrance.write("clients.crt", second.pem().slice(0, 200));
  const served = makeCertificate([name]);
  entrance.write("tls.crt", served.chain);
  entrance.write("tls.key", served.key);
  entrance.signal("SIGHUP");
  await expect.poll(() => trusts(served.chain), patience).toBe(true);
  expect(entrance.said).toMatch(
    /entrance: ENTRANCE_CLIENT_CA must be PEM certificates.*: what was read before is used on/,
  );
  expect([await call("/audit", one), await call("/audit", other)]).toEqual([401, 200]);
});

test.each(["TLSv1.2", "TLSv1.3"] as const)("%s: who resumes a session is who began it", async (version) => {
  const [ours, others] = [authority("ours"), authority("others")];
  start({ ...files(), ENTRANCE_CLIENT_CA: ours.file });
  await isUp();
  expect(await resumed(await sessionOf(client(ours), version), version)).toBe("200 resumed");
  expect(await resumed(await sessionOf(client(others), version), version)).toBe("401 resumed");
  expect(await resumed(await sessionOf(undefined, version), version)).toBe("401 resumed");
});

test("with a certificate that Entrance makes by itself it is alike", async () => {
  const api = await KubernetesServer.start();
  try {
    const secret = "/api/v1/namespaces/entrance/secrets/entrance-certificate";
    api.put(secret, { type: "kubernetes.io/tls", data: {} });
    const [first, second] = [authority("first"), authority("second")];
    const file = entrance.write("clients.crt", first.pem());
    start({
      ENTRANCE_TLS_SECRET: "entrance/entrance-certificate",
      ENTRANCE_KUBE_API: api.url,
      ENTRANCE_CLIENT_CA: file,
    });
    await isUp();
    expect([await call("/audit", { issued: client(first) }), await call("/audit")]).toEqual([200, 401]);
    entrance.write("clients.crt", second.pem());
    entrance.signal("SIGHUP");
    await expect.poll(() => call("/audit", { issued: client(second) }), patience).toBe(200);
    expect(await call("/audit", { issued: client(first) })).toBe(401);
  } finally {
    await api.stop();
  }
});

test("on loopback, where no token need be set, a certificate is needed none the less", async () => {
  const ours = authority("ours");
  start({
    ...files(),
    ENTRANCE_CLIENT_CA: ours.file,
    ENTRANCE_LISTEN: `127.0.0.1:${entrance.port}`,
    ENTRANCE_WEBHOOK_TOKEN: "",
  });
  await isUp();
  expect([await call("/audit"), await call("/audit", { issued: client(ours) })]).toEqual([401, 200]);
});

test("what can't be used is said before anything is served", async () => {
  const sentence = /^ENTRANCE_CLIENT_CA needs HTTPS served by Node: set ENTRANCE_TLS_CERT and ENTRANCE_TLS_KEY, or/;
  expect(() => readConfig({ ENTRANCE_CLIENT_CA: "clients.crt" })).toThrow(sentence);
  const { chain, key } = makeCertificate(["ours"]);
  const noApi = { ENTRANCE_TLS_SECRET: "entrance/entrance-certificate", ENTRANCE_KUBE_API: "none" };
  const unusable: [string, Record<string, string>, string][] = [
    [entrance.path("none.crt"), files(), "which is not there"],
    [entrance.write("empty.crt", ""), files(), "ENTRANCE_CLIENT_CA names something that is no PEM"],
    [chain + key, files(), "ENTRANCE_CLIENT_CA must be PEM certificates that can be read"],
    [chain, noApi, "ENTRANCE_CLIENT_CA needs HTTPS, and ENTRANCE_TLS_SECRET a Kubernetes API"],
  ];
  for (const [value, served, reason] of unusable) {
    start({ ...served, ENTRANCE_CLIENT_CA: value });
    expect(await entrance.ended()).toBe(1);
    expect(entrance.said).toContain(reason);
    expect(entrance.said).not.toContain("PRIVATE KEY");
  }
});

type Version = "TLSv1.2" | "TLSv1.3";

/** On a connection that shows this certificate. */
async function sessionOf(issued: Issued | undefined, version: Version = "TLSv1.3"): Promise<Buffer> {
  const pair = issued === undefined ? {} : { cert: readFileSync(issued.certificate), key: readFileSync(issued.key) };
  const socket = connect({
    host: "127.0.0.1",
    port: entrance.port,
    rejectUnauthorized: false,
    maxVersion: version,
    ...pair,
  });
  const [session] = await once(socket, "session");
  socket.destroy();
  return session as Buffer;
}

/** The status of one who takes this session up again and shows no certificate, and whether it could. */
async function resumed(session: Buffer, version: Version = "TLSv1.3"): Promise<string> {
  const socket = connect({
    host: "127.0.0.1",
    port: entrance.port,
    rejectUnauthorized: false,
    maxVersion: version,
    session,
  });
  await once(socket, "secureConnect");
  const how = socket.isSessionReused() ? "resumed" : "new";
  return `${await statusOn(socket)} ${how}`;
}

async function statusOn(socket: TLSSocket): Promise<number> {
  const body = JSON.stringify(doorBodies["/audit"]);
  const head = ["POST /audit HTTP/1.1", "host: entrance", `content-length: ${Buffer.byteLength(body)}`];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  const [answer] = await once(socket, "data");
  socket.destroy();
  return Number(String(answer).split(" ")[1]);
}

/** Whether it serves with this very certificate. */
async function trusts(chain: string): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port: entrance.port, servername: name, ca: chain });
  const isTrusted = await once(socket, "secureConnect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isTrusted;
}
