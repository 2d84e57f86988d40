/** What annotations of a Service do: from the webhooks through Entrance to a real node and real members. */
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer as createTcp, type Server as NetServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { startTestCluster, type TestCluster } from "../harness/cluster.ts";
import { freePorts } from "../harness/free-ports.ts";
import { requestTls } from "../harness/https.ts";
import type { RequestOptions } from "../harness/node.ts";
import { GrpcClient, startGrpc } from "../node/backend/grpc-service.ts";

let cluster: TestCluster;
let one: Backend;
let two: Backend;
const running: NetServer[] = [];

beforeAll(async () => {
  [cluster, one, two] = await Promise.all([startTestCluster(), startBackend("one"), startBackend("two")]);
});
afterEach(async () => {
  expect((await cluster.node.state()).rejected).toEqual([]);
});
afterAll(async () => {
  for (const server of running) {
    if ("closeAllConnections" in server) (server as Server).closeAllConnections();
    server.close();
  }
  await Promise.all([cluster?.stop(), one?.close(), two?.close()]);
});

async function listening(server: NetServer): Promise<number> {
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

let count = 0;
/** A Service with these members, served at the host that is returned. */
async function serve(
  annotations: Readonly<Record<string, string>>,
  members: readonly number[],
  spec: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const name = `asked-${count++}`;
  const host = `${name}.example`;
  for (const [index, port] of members.entries()) {
    await cluster.apply({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-${index}`, namespace: "shop", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "main", port }],
      endpoints: [{ addresses: ["127.0.0.1"] }],
    });
  }
  const asked = Object.entries({ http: host, ...annotations }).map(([key, value]) => [`entrance.dev/${key}`, value]);
  const outcome = await cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop", annotations: Object.fromEntries(asked) },
    spec: { ports: [{ name: "main", port: 80 }], ...spec },
  });
  expect(outcome).toMatchObject({ result: "created" });
  return host;
}

async function ask(host: string, options: RequestOptions = {}): Promise<string> {
  const { status, text } = await cluster.node.get(host, "/", options);
  return status === 200 ? (JSON.parse(text) as Echo).name : String(status);
}

async function answers(host: string, times: number, options: (time: number) => RequestOptions): Promise<string[]> {
  const found: string[] = [];
  for (let time = 0; time < times; time += 1) found.push(await ask(host, options(time)));
  return found;
}

/** What nginx reads from a file it knows only after a reload. */
async function eventually(host: string, name: string): Promise<void> {
  await vi.waitFor(async () => expect(await ask(host)).toBe(name), { timeout: 20_000, interval: 50 });
}

const both = () => [one.port, two.port];

describe("who gets a request", () => {
  test.each([
    ["header:X-User", (user: number) => ({ headers: { "x-user": `u${user}` } })],
    ["cookie:user", (user: number) => ({ headers: { cookie: `a=b; user=u${user}` } })],
  ])("hash:%s: each user one member, all members some users", async (by, of) => {
    const host = await serve({ balance: `hash:${by}` }, both());
    const first = await answers(host, 30, of);
    expect(new Set(first)).toEqual(new Set(["one", "two"]));
    expect(await answers(host, 30, of)).toEqual(first);
  });

  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    ["hash:source", { balance: "hash:source" }, {}],
    ["sessionAffinity: ClientIP", {}, { sessionAffinity: "ClientIP" }],
  ])("%s: one client, one member", async (_, annotations, spec) => {
    const host = await serve(annotations, both(), spec);
    expect(new Set(await answers(host, 10, () => ({}))).size).toBe(1);
  });

  test("least-connections: whoever is busy gets nothing more", async () => {
    const host = await serve({ balance: "least-connections" }, both());
    const slow = cluster.node.get(host, "/slow?chunks=20&everyMs=50");
    const before = [one, two].map((backend) => backend.requests());
    const busy = await vi.waitFor(async () => {
      expect([one.requests(), two.requests()]).not.toEqual(before);
      return one.requests() > (before[0] ?? 0) ? "one" : "two";
    });
    expect(new Set(await answers(host, 6, () => ({})))).toEqual(new Set([busy === "one" ? "two" : "one"]));
    await slow;
  });

  test("affinity: the cookie leads back to the member that set it", async () => {
    const host = await serve({ "affinity-cookie": "route", "affinity-max-age": "1h" }, both());
    const first = await cluster.node.get(host);
    const [cookie = ""] = first.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^route=[^;]+;.*Max-Age=3600/i);
    const headers = { cookie: cookie.split(";")[0] ?? "" };
    const { name } = JSON.parse(first.text) as Echo;
    expect(new Set(await answers(host, 10, () => ({ headers })))).toEqual(new Set([name]));
    expect((await cluster.node.get(await serve({ affinity: "cookie" }, both()))).headers["set-cookie"]).toEqual([
      expect.stringMatching(/^entrance=/),
    ]);
  });

  test("slow-start is taken", async () => {
    expect(await ask(await serve({ "slow-start": "1s" }, both()))).toMatch(/one|two/);
  });
});

describe("who is well", () => {
  /** Serves, and says of itself what it is told to. */
  async function member(name: string, health: () => number): Promise<number> {
    const server = createHttp(({ url }, answer) => {
      answer.writeHead(url === "/healthz" ? health() : 200).end(JSON.stringify({ name }));
    });
    return listening(server);
  }

  test("health-path: who says that it is not gets nothing, until it says that it is", async () => {
    let status = 500;
    const members = [await member("well", () => 204), await member("ill", () => status)];
    const quick = {
      "health-interval": "100ms",
      "health-timeout": "1s",
      "health-healthy": "1",
      "health-unhealthy": "1",
    };
    const host = await serve({ "health-path": "/healthz", "health-statuses": "200-299", ...quick }, members);
    const seen = async () => new Set(await answers(host, 6, () => ({})));
    await vi.waitFor(async () => expect(await seen()).toEqual(new Set(["well"])), { timeout: 10_000 });
    status = 200;
    await vi.waitFor(async () => expect(await seen()).toEqual(new Set(["well", "ill"])), { timeout: 10_000 });
  });

  test("max-failures and failure-time: who refuses is passed over", async () => {
    const [nobody = 0] = await freePorts(1);
    const host = await serve({ "max-failures": "1", "failure-time": "1m" }, [one.port, nobody]);
    expect(new Set(await answers(host, 6, () => ({})))).toEqual(new Set(["one"]));
  });
});

describe("what is spoken", () => {
  const pair = makeCertificate(["web.members.example"]);
  const other = makeCertificate(["web.members.example"]);

  test("h2c", async () => {
    const server = createHttp2((request, answer) => answer.end(JSON.stringify({ name: request.httpVersion })));
    const port = await listening(server);
    expect(await ask(await serve({ "backend-protocol": "h2c" }, [port]))).toBe("2.0");
    const spec = { ports: [{ name: "main", port: 80, appProtocol: "kubernetes.io/h2c" }] };
    expect(await ask(await serve({}, [port], spec))).toBe("2.0");
  });

  test.each(["grpc", "grpcs"])("%s", async (protocol) => {
    const name = `${protocol}.web.example`;
    const front = makeCertificate([name]);
    await using backend = await startGrpc("echo", protocol === "grpcs" ? pair : undefined);
    const secret = { name: `front-${protocol}`, namespace: "shop" };
    const stringData = { "tls.crt": front.chain, "tls.key": front.key };
    await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata: secret, type: "kubernetes.io/tls", stringData });
    await serve({ http: "", https: name, certificate: secret.name, "backend-protocol": protocol }, [backend.port]);
    using client = new GrpcClient(cluster.node.ports.https, name, front.chain);
    expect(await client.call("Unary", ["hello"])).toMatchObject({ code: 0, messages: ["echo:hello"] });
  });

  const secure = () =>
    listening(createHttps({ cert: pair.chain, key: pair.key }, (_, answer) => answer.end('{"name":"secure"}')));
  const authority = async (name: string, { chain }: { readonly chain: string }) => {
    const outcome = await cluster.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "shop" },
      stringData: { "ca.crt": chain },
    });
    expect(outcome).toMatchObject({ result: "created" });
  };

  test("https, with nobody verified", async () => {
    expect(await ask(await serve({ "backend-protocol": "https" }, [await secure()]))).toBe("secure");
  });

  test("https, verified: the right name and authority, another name, another authority, the system's", async () => {
    await authority("ca", pair);
    await authority("other", other);
    const port = await secure();
    const verified = (annotations: Record<string, string>) =>
      serve({ "backend-protocol": "https", ...annotations }, [port]);
    const name = "web.members.example";
    await eventually(await verified({ "backend-tls-ca": "ca", "backend-tls-name": name }), "secure");
    expect(await ask(await verified({ "backend-tls-ca": "ca" }))).toMatch(/^50[23]$/);
    expect(await ask(await verified({ "backend-tls-ca": "other", "backend-tls-name": name }))).toMatch(/^50[23]$/);
    expect(await ask(await verified({ "backend-tls-name": name }))).toMatch(/^50[23]$/);
  });

  test("https, verified by authorities that come later: closed until then", async () => {
    const asked = { "backend-protocol": "https", "backend-tls-ca": "late", "backend-tls-name": "web.members.example" };
    const host = await serve(asked, [await secure()]);
    expect(await ask(host)).toBe("503");
    await authority("late", pair);
    await eventually(host, "secure");
  });
});

describe("connections", () => {
  test("proxy-protocol: members of a listener hear the client's address first", async () => {
    const heard: string[] = [];
    const server = createTcp({ allowHalfOpen: true }, (socket) => {
      const parts: Buffer[] = [];
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => parts.push(data));
      socket.on("end", () => {
        heard.push(Buffer.concat(parts).toString("latin1"));
        socket.end();
      });
    });
    const [free = 0] = await freePorts(1);
    const spec = { ports: [{ name: "main", port: 3306 }] };
    await serve({ http: "", tcp: `${free}:main`, "proxy-protocol": "v1" }, [await listening(server)], spec);
    await vi.waitFor(
      async () => {
        connect(free, "127.0.0.1")
          .on("error", () => undefined)
          .end("hello");
        const told = /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/;
        await vi.waitFor(() => expect(heard).toContainEqual(expect.stringMatching(told)));
      },
      { timeout: 20_000 },
    );
  });

  test("tls-passthrough: the member's own certificate", async () => {
    const pair = makeCertificate(["vault.example"]);
    const server = createHttps({ cert: pair.chain, key: pair.key }, (_, answer) => answer.end('{"name":"vault"}'));
    await serve({ http: "", "tls-passthrough": "vault.example" }, [await listening(server)]);
    await vi.waitFor(
      async () => {
        const { certificate, text } = await requestTls(cluster.node.ports.https, "vault.example");
        expect({ subject: certificate.subject, text }).toEqual({
          subject: "CN=vault.example",
          text: '{"name":"vault"}',
        });
      },
      { timeout: 20_000 },
    );
  });
});
