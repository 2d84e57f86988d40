/** What annotations of a Service say of its pools, and what is refused with which sentence. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pool } from "../../shared/model/pool.ts";
import type { SeenService } from "../../shared/model/seen/service.ts";
import { drive, user } from "./drive.ts";
import { created, ingress, port, service } from "./seen.ts";

const ports = [port(80, { name: "http" }), port(443, { name: "tls" }), port(53, { name: "dns", protocol: "UDP" })];
const listeners = { http: "a.example=http", tcp: "1443:tls", udp: "5300:dns" };

/** The Service's pools by port: 80 for requests, 443 for connections, 53 for datagrams. */
function pools(annotations: Record<string, string>, more: Partial<SeenService> = {}): Record<string, Partial<Pool>> {
  const { resources, problems } = drive(service({ ports, annotations: { ...listeners, ...annotations }, ...more }));
  expect(problems.filter(({ isAdvice }) => !isAdvice)).toEqual([]);
  return Object.fromEntries(
    Object.entries(resources["openresty"] ?? {}).flatMap(([key, value]) => {
      if (!key.startsWith("Pool/")) return [];
      const { alias: _, ...pool } = value as Pool;
      return [[key.slice("Pool/shop/web/".length), pool]];
    }),
  );
}

const roundRobin = { balance: "round-robin" };
const [requests, connections, datagrams] = ["http", "tcp", "udp"].map((protocol) => ({ protocol, ...roundRobin }));

test("nothing asked, nothing said", () => {
  expect(pools({})).toEqual({ 80: requests, 443: connections, 53: datagrams });
});

describe("balance", () => {
  test.each<[string, object, object]>([
    ["least-connections", { balance: "least-connections" }, { balance: "least-connections" }],
    ["hash:source", { balance: "hash", hash: { by: "source" } }, { balance: "hash", hash: { by: "source" } }],
    ["hash:header:X-User", { balance: "hash", hash: { by: "header", name: "X-User" } }, roundRobin],
    ["hash:cookie:session", { balance: "hash", hash: { by: "cookie", name: "session" } }, roundRobin],
  ])("%s", (balance, ofRequests, ofConnections) => {
    expect(pools({ balance })).toMatchObject({ 80: ofRequests, 443: ofConnections, 53: ofConnections });
  });

  test("one for each port", () => {
    const balance = "80 = hash:header:X-User, tls=least-connections";
    const byPort = { 80: { balance: "hash" }, 443: { balance: "least-connections" }, 53: roundRobin };
    expect(pools({ balance })).toMatchObject(byPort);
  });

  test("sessionAffinity: ClientIP is by the client's address, unless an annotation says otherwise", () => {
    const bySource = { balance: "hash", hash: { by: "source" } };
    expect(pools({}, { sessionAffinity: "ClientIP" })).toMatchObject({ 80: bySource, 443: bySource });
    expect(pools({ balance: "80=round-robin" }, { sessionAffinity: "ClientIP" })).toMatchObject({
      80: roundRobin,
      443: bySource,
    });
  });
});

test.each<[string, Record<string, string>, object]>([
  ["affinity", { affinity: "cookie" }, { affinity: { cookie: "entrance" } }],
  [
    "affinity by name",
    { "affinity-cookie": "route", "affinity-max-age": "24h" },
    { affinity: { cookie: "route", maxAge: "24h" } },
  ],
  ["slow start", { "slow-start": "30s" }, { slowStart: "30s" }],
  [
    "checks",
    {
      "health-path": "/healthz?a=b,c=d",
      "health-host": "Web.example",
      "health-interval": "10s",
      "health-timeout": "500ms",
      "health-healthy": "1",
      "health-unhealthy": "5",
      "health-statuses": "200-299, 401",
    },
    {
      health: {
        active: {
          type: "http",
          path: "/healthz?a=b,c=d",
          host: "web.example",
          interval: "10s",
          timeout: "500ms",
          healthy: 1,
          unhealthy: 5,
          statuses: "200-299,401",
        },
      },
    },
  ],
  ["checks of a port", { "health-type": "http=tcp" }, { health: { active: { type: "tcp" } } }],
  ["failures", { "max-failures": "0" }, { health: { passive: { failures: 0 } } }],
  ["their time", { "failure-time": "1m" }, { health: { passive: { for: "1m" } } }],
])("%s", (_, annotations, pool) => {
  expect(pools(annotations)[80]).toEqual({ ...requests, ...pool });
});

test("of connections only what they can carry", () => {
  const asked = {
    affinity: "cookie",
    "health-path": "/healthz",
    "health-interval": "1s",
    "max-failures": "3",
    "proxy-protocol": "v2",
    "slow-start": "10s",
  };
  expect(pools(asked)).toMatchObject({
    443: {
      ...connections,
      slowStart: "10s",
      health: { active: { type: "tcp", interval: "1s" }, passive: { failures: 3 } },
      proxyProtocol: "v2",
    },
    53: { ...datagrams, slowStart: "10s", health: { passive: { failures: 3 } } },
  });
  expect(pools(asked)[80]).not.toHaveProperty("proxyProtocol");
  expect(pools(asked)[443]).not.toHaveProperty("affinity");
});

describe("what is spoken to members", () => {
  test.each<[string, object]>([
    ["http", requests ?? {}],
    ["h2c", { protocol: "h2c", ...roundRobin }],
    ["grpc", { protocol: "grpc", ...roundRobin }],
    ["HTTPS", { protocol: "https", ...roundRobin, tls: { verify: false } }],
    ["grpcs", { protocol: "grpc", ...roundRobin, tls: { verify: false } }],
  ])("%s by annotation", (protocol, pool) => {
    expect(pools({ "backend-protocol": protocol })).toEqual({ 80: pool, 443: connections, 53: datagrams });
  });

  test.each<[string, string]>([
    ["http", "http"],
    ["kubernetes.io/ws", "http"],
    ["kubernetes.io/h2c", "h2c"],
    ["https", "https"],
    ["kubernetes.io/wss", "https"],
    ["grpc", "grpc"],
    ["mysql", "http"],
  ])("appProtocol %s", (appProtocol, protocol) => {
    const more = { ports: [port(80, { name: "http", appProtocol }), ...ports.slice(1)] };
    expect(pools({}, more)[80]).toMatchObject({ protocol });
    expect(pools({ "backend-protocol": "http=h2c" }, more)[80]).toMatchObject({ protocol: "h2c" });
  });

  test.each<[Record<string, string>, object]>([
    [{}, { verify: false }],
    [{ "backend-tls-verify": "false" }, { verify: false }],
    [{ "backend-tls-verify": "true" }, { verify: true, name: "web.shop.svc" }],
    [{ "backend-tls-name": "In.example" }, { verify: true, name: "in.example" }],
    [
      { "backend-tls-name": "in.example", "backend-tls-verify": "false" },
      { verify: false, name: "in.example" },
    ],
  ])("TLS with %j", (annotations, tls) => {
    expect(pools({ "backend-protocol": "80=https", ...annotations })[80]).toMatchObject({ protocol: "https", tls });
  });

  test("members that could be anybody are worth a word at the review, once they serve requests", () => {
    const spoken = (annotations: object) =>
      drive(service({ annotations: { "backend-protocol": "https", ...annotations } })).problems;
    expect(spoken({ http: "a.example" })).toEqual([
      {
        sentence: expect.stringMatching(/port 80 .*backend-tls-name.*backend-tls-verify: "false"/),
        deny: false,
        isAdvice: true,
      },
    ]);
    expect(spoken({ http: "a.example", "backend-tls-verify": "false" })).toEqual([]);
    expect(spoken({ http: "a.example", "backend-tls-name": "a.example" })).toEqual([]);
    expect(spoken({})).toEqual([]);
  });
});

describe("authorities", () => {
  const authorities = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const secret = { kind: "Secret", namespace: "shop", name: "ca", created, problems: [] } as const;
  const annotations = { "backend-protocol": "80=https", "backend-tls-ca": "ca", http: "a.example", tcp: "1443:443" };
  const asking = service({ ports, annotations });

  test("of a Secret verify the members by the Service's name", () => {
    const { resources, problems, reads } = drive(asking, { objects: [{ ...secret, authorities }] });
    expect(resources["openresty"]).toMatchObject({
      "Pool/shop/web/80": { protocol: "https", tls: { verify: true, name: "web.shop.svc", ca: authorities } },
      "Pool/shop/web/443": { protocol: "tcp" },
    });
    expect(problems).toEqual([]);
    expect(reads).toContain("Secret/shop/ca");
  });

  test.each([
    ["is not known yet", []],
    ["has no ca.crt that could be used", [secret]],
  ])("of a Secret that %s: nobody is believed instead", (why, objects) => {
    const { resources, problems, failed } = drive(asking, { objects });
    expect(Object.keys(resources["openresty"] ?? {})).toEqual([
      "Pool/shop/web/443",
      "Rule/a.example/Service/shop/web/0",
    ]);
    const sentence = `Secret shop/ca ${why}, so nobody can be verified: requests are answered with 503`;
    expect({ problems, failed }).toEqual({ problems: [{ sentence, deny: false }], failed: false });
  });
});

test("one port for requests and for connections is one pool, which says what requests need", () => {
  const both = { http: "a.example", tcp: "33061:80", balance: "hash:cookie:a", "proxy-protocol": "v1" };
  const { resources, problems } = drive(service({ annotations: both }));
  expect(resources["openresty"]?.["Pool/shop/web/80"]).toMatchObject({
    protocol: "http",
    hash: { by: "cookie", name: "a" },
  });
  expect(problems).toEqual([
    { sentence: expect.stringMatching(/^port 80 serves requests, too, .*a port of their own$/), deny: false },
  ]);
});

const others = [
  { user: user("Ingress", "shop", "web"), claim: { type: "pool", uses: [{ balancer: "openresty", port: "http" }] } },
] as const;

test("of a Service that others route to", () => {
  const { resources } = drive(service({ annotations: { balance: "least-connections" } }), { claims: others });
  expect(resources["openresty"]?.["Pool/shop/web/80"]).toMatchObject({ balance: "least-connections" });
});

test("a setting that can't be read: its pools stay as they were, and nothing is guessed", () => {
  const annotations = { "backend-protocol": "https", "backend-tls-verify": "yes" };
  expect(drive(service({ annotations }), { claims: others })).toMatchObject({ failed: true, resources: {} });
});

test.each<[Record<string, string>, RegExp]>([
  [{ balance: "random" }, /^annotation entrance\.dev\/balance: "random": is no way to balance; write round-robin/],
  [{ balance: "hash" }, /is no way to balance/],
  [{ balance: "hash:header" }, /is no way to balance/],
  [{ balance: "hash:header:a b" }, /is no way to balance/],
  [{ balance: "hash:source:eth0" }, /is no way to balance/],
  [{ balance: "8080=hash:source" }, /"8080": the Service has no such port; write VALUE for all ports, or PORT=VALUE/],
  [{ balance: "80=hash:source,http=round-robin" }, /"http": the port is named twice/],
  [{ affinity: "ip" }, /"ip": is no affinity; write cookie$/],
  [{ "affinity-cookie": "a=b" }, /the Service has no such port/],
  [{ "affinity-cookie": "a;b" }, /letters, digits and hyphens/],
  [{ "affinity-max-age": "1h" }, /without entrance\.dev\/affinity or entrance\.dev\/affinity-cookie; add that/],
  [{ affinity: "cookie", "affinity-max-age": "3600" }, /10s, 500ms or 1m30s/],
  [{ "slow-start": "30" }, /10s, 500ms or 1m30s/],
  [{ "health-path": "healthz" }, /must begin with \//],
  [{ "health-path": "/\r\nX: y" }, /visible characters/],
  [{ "health-type": "icmp" }, /must be http, grpc or tcp/],
  [{ "health-type": "tcp", "health-path": "/x" }, /health-path: "\/x": means nothing to health-type tcp/],
  [{ "health-interval": "5s" }, /without entrance\.dev\/health-path or entrance\.dev\/health-type/],
  [{ "health-type": "tcp", "health-healthy": "0" }, /from 1 to 100/],
  [{ "health-path": "/", "health-statuses": "2xx" }, /such as 200-399,401/],
  [{ "max-failures": "many" }, /from 0 to 1000/],
  [{ "failure-time": "1d" }, /10s, 500ms or 1m30s/],
  [{ "backend-protocol": "fcgi" }, /is not spoken; write http, h2c, grpc, https, grpcs/],
  [{ "backend-tls-name": "a.example" }, /means nothing without entrance\.dev\/backend-protocol: https or grpcs/],
  [{ "backend-protocol": "https", "backend-tls-verify": "yes" }, /neither "true" nor "false"/],
  [{ "backend-protocol": "https", "backend-tls-name": "*.example" }, /a host name/],
  [
    { "backend-protocol": "https", "backend-tls-verify": "false", "backend-tls-ca": "ca" },
    /nothing is verified by it: leave out backend-tls-verify/,
  ],
  [{ "proxy-protocol": "true" }, /must be v1 or v2/],
])("refuses %j", (annotations, sentence) => {
  expect(drive(service({ ports, annotations }))).toMatchObject({
    failed: true,
    problems: [{ sentence: expect.stringMatching(sentence), deny: true }],
  });
});

test("on an Ingress each of them is refused, and the Service is named", () => {
  const { failed, problems } = drive(ingress(["a.example"], { annotations: { balance: "hash:source", gzip: "true" } }));
  expect(failed).toBe(true);
  expect(problems).toEqual([
    {
      sentence:
        "annotation entrance.dev/balance has no meaning on an Ingress: write it on the Service that it is about",
      deny: true,
    },
  ]);
});

test("whatever is written: pools that a node can parse, or a sentence", () => {
  const names = [
    "affinity affinity-cookie affinity-max-age backend-protocol backend-tls-name backend-tls-verify balance",
    "failure-time health-healthy health-host health-interval health-path health-statuses health-timeout health-type",
    "health-unhealthy max-failures proxy-protocol slow-start",
  ].flatMap((line) => line.split(" "));
  const word = fc.constantFrom(
    ..."80= http= , = : hash hash: cookie header source https grpcs tcp /x 5s 200-299 true v1 é a.example 7".split(" "),
    " ",
    "",
  );
  const text = fc.array(word, { maxLength: 5 }).map((words) => words.join(""));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 6 }), (annotations) => {
      const { failed, problems } = drive(service({ ports, annotations: { ...annotations, ...listeners } }));
      expect(failed).toBe(problems.some(({ deny }) => deny));
    }),
    { numRuns: 1_000 },
  );
});
