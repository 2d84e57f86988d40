// The node's pure Lua and its TypeScript siblings say the same.
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { BlockList } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { prepareNode } from "../../infra/openresty/prepare.ts";
import { addToDigest, emptyDigest, removeFromDigest } from "../../shared/model/digest.ts";
import { comparePrecedence } from "../../shared/model/precedence.ts";
import { parseResource } from "../../shared/model/resource.ts";
import { nodeKey, parseResourceKey, poolKey, ruleKey } from "../../shared/model/resource-key.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KEY, request } from "../harness/node.ts";

const directory = mkdtempSync(join(tmpdir(), "entrance-lua-"));
let nginx: ChildProcess | undefined;
let port = 0;

beforeAll(async () => {
  const [http = 0, https = 0, admin = 0, health = 0, waiting = 0] = await freePorts(5);
  const prepared = prepareNode({ directory, ports: { http, https, admin, health, waiting }, workers: 1, keys: [KEY] });
  port = http;
  copyFileSync(new URL("pure.lua", import.meta.url), join(directory, "pure.lua"));
  writeFileSync(
    join(directory, "conf/nginx.conf"),
    `include node/modules/*.conf;
    include node/process.conf;
    daemon off;
    pid logs/nginx.pid;
    events {}
    http {
      lua_package_path "$prefix/?.lua;$prefix/lua/?.lua;;";
      lua_shared_dict entrance_connections 1m;
      lua_shared_dict entrance_health 1m;
      lua_shared_dict entrance_metrics 1m;
      lua_shared_dict entrance_ring 1m;
      lua_shared_dict entrance_state 1m;
      init_by_lua_block { pure = require "pure" }
      access_log off;
      server {
        listen 127.0.0.1:${port};
        client_max_body_size 16m;
        client_body_buffer_size 16m;
        location / { content_by_lua_block { pure() } }
      }
    }`,
  );
  nginx = spawn(prepared.command, [...prepared.args], { stdio: ["ignore", "inherit", "inherit"] });
  await vi.waitFor(() => ask("digest", []), { timeout: 10_000 });
});

afterAll(async () => {
  const exited = new Promise((resolve) => nginx?.once("exit", resolve));
  nginx?.kill();
  await exited;
  rmSync(directory, { recursive: true, force: true });
});

async function ask(path: string, body: unknown): Promise<unknown> {
  const { text } = await request(port, `/${path}`, { method: "POST", body: JSON.stringify(body) });
  return JSON.parse(text);
}

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,3}[a-z0-9])?$/);
const match = fc.record({ type: fc.constant("exact" as const), name, value: fc.string() });
const rankedRule = fc.record({
  rule: fc.record({
    matches: fc.record(
      {
        path: fc.record({
          type: fc.constantFrom("exact", "prefix", "start", "regex"),
          value: fc.oneof(fc.constantFrom("/", "/a", "/a/b", "/ä", "/a/"), fc.string({ unit: "grapheme" })),
        }),
        method: fc.constantFrom("GET", "POST"),
        headers: fc.array(match, { maxLength: 2 }),
        query: fc.array(match, { maxLength: 2 }),
      },
      { requiredKeys: ["path"] },
    ),
    owner: fc.record({
      kind: fc.constantFrom("Ingress", "Service"),
      namespace: name,
      name,
      created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", ""),
    }),
  }),
  number: fc.nat({ max: 1000 }),
});

test("precedence", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(rankedRule, { minLength: 2, maxLength: 12, selector: (it) => it.number }),
      async (rules) => {
        const expected = rules
          .map((it, place) => ({ it, place }))
          .sort((a, b) => comparePrecedence(a.it, b.it))
          .map(({ place }) => place);
        expect(
          await ask(
            "precedence",
            rules.map(({ rule, number }) => ({ ...rule, number })),
          ),
        ).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

const hash = fc.stringMatching(/^[0-9a-f]{40}$/);

test("digest", async () => {
  const step = fc.tuple(fc.constantFrom(1, -1), fc.string({ unit: "grapheme" }), hash);
  await fc.assert(
    fc.asyncProperty(fc.array(step), async (steps) => {
      const expected = steps.reduce(
        (digest, [sign, key, of]) => (sign === 1 ? addToDigest : removeFromDigest)(digest, key, of),
        emptyDigest,
      );
      expect(await ask("digest", steps)).toEqual([expected]);
    }),
    { numRuns: 200 },
  );
});

test("keys that Entrance makes are understood", async () => {
  const host = fc.constantFrom("*", "*.shop.example", "www.shop.example", "a_b.example");
  const key = fc.oneof(
    fc.tuple(name, name, fc.nat({ max: 65_535 })).map(([a, b, number]) => poolKey(a, b, number)),
    fc.tuple(name, name, name).map(([a, b, c]) => nodeKey(a, b, 80, c)),
    fc.tuple(host, name, name).map(([a, b, c]) => ruleKey(a, { kind: "Ingress", namespace: b, name: c }, 0)),
    fc.stringMatching(/^[A-Za-z ]{1,9}$/).map((text) => poolKey(text, "x", 1)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(key, { minLength: 1, maxLength: 20 }), async (keys) => {
      expect(await ask("key", keys)).toEqual(keys.map((text) => parseResourceKey(text)?.segments));
    }),
    { numRuns: 100 },
  );
});

// What a Kubernetes user might write, and what nobody should.
const piece = fc.constantFrom(
  ..."/ a X-A Host Connection 10.0.0.0/8 ::/0 10.0.0.0/33 https://a.example *".split(" "),
  "",
);
const odd = fc.oneof(piece, piece, fc.constantFrom("a\r\nb", " a", "é", "$1", "?", "x:"), fc.string({ maxLength: 3 }));
const count = fc.constantFrom(0, 1, 10, 65_535, 86_400, 1_000_001, -1, 1.5);
const time = fc.constantFrom("10s", "0s", "1h30m", "500ms", "1.5s", "99999h", "", "10", "1s1s1s1s1s");
const flag = fc.constantFrom<unknown>(true, false, "yes");
const list = (item: fc.Arbitrary<unknown>) => fc.array(item, { maxLength: 3 });
const some = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });
const changes = some({
  set: list(fc.record({ name: odd, value: odd })),
  add: list(fc.record({ name: odd, value: odd })),
  remove: list(odd),
});
const pathChange = fc.oneof(
  fc.record({ type: fc.constant("ReplaceFullPath"), replaceFullPath: odd }),
  fc.record({ type: fc.constant("ReplacePrefixMatch"), replacePrefixMatch: odd }),
  fc.record({ type: fc.constant("ReplaceNothing") }),
);
const host = fc.constantFrom("a.example", "A.example", "*.example", "", "a b");
const key = fc.oneof(
  fc.record({ type: fc.constantFrom("All", "ClientAddress", "Moon") }),
  fc.record({ type: fc.constant("Header"), name: odd }),
);
const settings: Readonly<Record<string, fc.Arbitrary<object>>> = {
  bodyLimit: some({ maxBytes: count }),
  cors: some({
    allowOrigins: list(odd),
    allowMethods: list(fc.constantFrom("GET", "get", "*")),
    allowHeaders: list(odd),
    exposeHeaders: list(odd),
    allowCredentials: flag,
    maxAge: count,
  }),
  gzip: fc.constant({}),
  hsts: some({ maxAge: count, includeSubDomains: flag, preload: flag }),
  rateLimit: some({ requests: count, period: time, burst: count, key }),
  requestHeaderModifier: changes,
  responseHeaderModifier: changes,
  requestMirror: some({ pool: fc.constantFrom("Pool/shop/web/80", "x"), percent: count }),
  requestRedirect: some({
    scheme: fc.constantFrom("http", "https", "ftp"),
    hostname: host,
    port: count,
    path: pathChange,
    statusCode: fc.constantFrom(301, 200),
  }),
  sourceRanges: some({ allow: list(odd), deny: list(odd) }),
  urlRewrite: some({ hostname: host, path: pathChange }),
};
const filter = fc.constantFrom(...Object.keys(settings)).chain((member) =>
  (settings[member] ?? fc.constant({})).map((value) => {
    const kind = `${member.slice(0, 1).toUpperCase()}${member.slice(1)}`;
    const names: Readonly<Record<string, string>> = { Cors: "CORS", UrlRewrite: "URLRewrite" };
    return { type: names[kind] ?? kind, [member]: value };
  }),
);

test("of filters, timeouts and retries both say the same", async () => {
  const retry = some({ attempts: count, codes: list(fc.constantFrom(500, 503, 404)), backoff: time });
  const more = some({ timeouts: some({ request: time, backendRequest: time }), retry });
  const rule = fc.tuple(fc.array(filter, { maxLength: 2 }), more).map(([filters, rest]) => ({
    domain: "a.example",
    scheme: "http",
    owner: { kind: "Ingress", namespace: "shop", name: "web", created: "2026-01-01T00:00:00Z" },
    tenant: "shop",
    listeners: [],
    matches: { path: { type: "prefix", value: "/" } },
    filters,
    ...rest,
    pools: [],
  }));
  let usable = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { minLength: 20, maxLength: 20 }), async (rules) => {
      const reasons = (await ask("rule", rules)) as (string | false)[];
      rules.forEach((it, place) => {
        const parsed = parseResource("Rule/a.example/Ingress/shop/web/0", it);
        usable += Number(parsed.ok);
        if (parsed.ok !== (reasons[place] === false)) {
          throw new Error(`${JSON.stringify(it)}: ${parsed.ok ? "usable" : parsed.reason}; ${reasons[place]}`);
        }
      });
    }),
    { numRuns: 150 },
  );
  expect(usable).toBeGreaterThan(50);
});

test("of pools both say the same", async () => {
  const word = fc.oneof(fc.constantFrom("route", "X-User", "a=b", "a b", "é", ""), odd);
  const interval = fc.oneof(time, fc.constantFrom("100ms", "50ms", "1m", "2h", "1s"));
  const statuses = fc.constantFrom("200-399", "200,204,301-302", "399-200", "", "ok", "99", "200-", "200,,300", "600");
  const parts: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    fallback: fc.constantFrom("unready", "ready"),
    hash: some({ by: fc.constantFrom("header", "cookie", "source", "moon"), name: word }),
    affinity: some({ cookie: word, maxAge: interval }),
    slowStart: interval,
    health: some({
      active: some({
        type: fc.constantFrom("http", "grpc", "tcp", "icmp"),
        path: fc.oneof(word, fc.constantFrom("/healthz?a=1", "/a b", "/\r\n")),
        host,
        interval,
        timeout: interval,
        healthy: count,
        unhealthy: count,
        statuses,
      }),
      passive: some({ failures: count, for: interval }),
    }),
    tls: some({ verify: flag, name: host, ca: fc.constantFrom("mine", "") }),
    proxyProtocol: fc.constantFrom("v1", "v2", "v3"),
  };
  const pool = fc.subarray(Object.keys(parts), { maxLength: 2 }).chain((names) =>
    fc.record({
      protocol: fc.constantFrom("http", "h2c", "grpc", "https", "tcp", "udp", "ftp"),
      balance: fc.constantFrom("round-robin", "least-connections", names.includes("hash") ? "hash" : "random"),
      alias: fc.constant("shop@web_80.Pool"),
      ...Object.fromEntries(names.map((it) => [it, parts[it] ?? fc.constant(undefined)])),
    }),
  );
  let usable = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(pool, { minLength: 50, maxLength: 50 }), async (pools) => {
      const reasons = (await ask("pool", pools)) as (string | false)[];
      pools.forEach((it, place) => {
        const parsed = parseResource("Pool/shop/web/80", it);
        usable += Number(parsed.ok);
        if (parsed.ok !== (reasons[place] === false)) {
          throw new Error(`${JSON.stringify(it)}: ${parsed.ok ? "usable" : parsed.reason}; ${reasons[place]}`);
        }
      });
    }),
    { numRuns: 150 },
  );
  expect(usable).toBeGreaterThan(50);
});

test("ranges of addresses hold what they say", async () => {
  const v4 = fc.ipV4();
  const near = fc
    .tuple(fc.constantFrom("10.1.2", "10.1.3", "192.168.0"), fc.nat({ max: 255 }))
    .map((it) => it.join("."));
  const v6 = fc.oneof(fc.ipV6(), fc.constantFrom("2001:db8::1", "2001:db8:8000::", "::1", "::"));
  const pair = fc.oneof(
    fc.tuple(fc.oneof(v4, near), fc.nat({ max: 32 }), fc.oneof(v4, near), fc.constant("ipv4" as const)),
    fc.tuple(v6, fc.nat({ max: 128 }), v6, fc.constant("ipv6" as const)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { minLength: 20, maxLength: 20 }), async (cases) => {
      const expected = cases.map(([base, bits, client, family]) => {
        const list = new BlockList();
        list.addSubnet(base, bits, family);
        return list.check(client, family);
      });
      expect(
        await ask(
          "within",
          cases.map(([base, bits, client]) => [`${base}/${bits}`, client]),
        ),
      ).toEqual(expected);
    }),
    { numRuns: 200 },
  );
  expect(
    await ask("within", [
      ["10.0.0.0/8", "::ffff:10.1.2.3"],
      ["10.0.0.0/8", "::ffff:11.1.2.3"],
      ["::/0", "10.1.2.3"],
    ]),
  ).toEqual([true, false, false]);
});

test("HSTS as it is said over https", async () => {
  const settings = [{ maxAge: 31_536_000, includeSubDomains: true, preload: true }, { maxAge: 0 }];
  expect(await ask("hsts", settings)).toEqual(["max-age=31536000; includeSubDomains; preload", "max-age=0"]);
});

test("JSON is cut into its members and items, exactly as they were written", async () => {
  const space = fc.constantFrom("", " ", "\n\t");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json(), { minLength: 1 }), space, async (values, gap) => {
      const list = `${gap}[${gap}${values.join(`${gap},${gap}`)}${gap}]${gap}`;
      const members = values.map((value, place) => `"k${place}\\""${gap}:${gap}${value}`);
      const object = `{${gap}${members.join(`${gap},${gap}`)}${gap}}`;
      const named = Object.fromEntries(values.map((value, place) => [`k${place}"`, value]));
      expect(await ask("cut", [list, object])).toEqual([values, named]);
    }),
    { numRuns: 200 },
  );
});

test("what was needed lately is bounded, each value goes once, and none that is in use", async () => {
  const step = fc.tuple(
    fc.constantFrom("get", "get", "get", "get", "get", "get", "forget", "clear"),
    fc.integer({ min: 1, max: 30 }).map((number) => `n${number}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 4, max: 12 }), fc.array(step, { maxLength: 200 }), async (most, steps) => {
      const [made, held = 0, gone = 0, twice, early] = (await ask("recent", [most, ...steps])) as number[];
      expect(held).toBeLessThanOrEqual(most + 1);
      expect({ made, twice, early }).toEqual({ made: held + gone, twice: 0, early: 0 });
    }),
    { numRuns: 200 },
  );
});

test("a reload without a new generation does not bring back who answered before", async () => {
  const steps = [
    ["reload", "3\ntcp/1\ta\n"],
    ["handed over", "4\ntcp/1\tb\n"],
    ["reload", "3\ntcp/1\ta\n"],
    ["reload", "5\ntcp/1\tc\n"],
    ["handed over", "6\ntcp/2\td\n"],
    ["reload", "5\ntcp/1\tc\n"],
  ];
  expect(await ask("connections", steps)).toEqual(["a", "b", "b", "c", false, false]);
});

test("what two workers find out of members at once is told by a version that holds both", async () => {
  expect(await ask("told_at_once", [])).toEqual(["one", "other"]);
});

test("names that nobody knows leave nothing behind where TLS is passed through", async () => {
  const [kibibytes] = (await ask("unknown_names", [20_000, 99])) as [number];
  expect(kibibytes).toBeLessThan(500);
});

test("rules that sent requests to https leave nothing behind", async () => {
  const [kibibytes] = (await ask("redirects", [20_000])) as [number];
  expect(kibibytes).toBeLessThan(500);
});

test("what is published while it is read is read again", async () => {
  expect(await ask("replaced_pair", [])).toEqual(["chain", "key"]);
  expect(await ask("checked", [])).toEqual(["10.0.0.1:80"]);
});

/** A TLS client's first words, as hex: nothing but the name. */
function hello(serverName: string): string {
  const vector = (bytes: number, content: Buffer) => {
    const length = Buffer.alloc(bytes);
    length.writeUIntBE(content.length, 0, bytes);
    return Buffer.concat([length, content]);
  };
  const entry = Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(serverName))]);
  const extension = Buffer.concat([Buffer.from([0, 0]), vector(2, vector(2, entry))]);
  const before = [Buffer.alloc(34), vector(1, Buffer.alloc(0)), vector(2, Buffer.alloc(2)), vector(1, Buffer.alloc(1))];
  const message = Buffer.concat([Buffer.from([1]), vector(3, Buffer.concat([...before, vector(2, extension)]))]);
  return Buffer.concat([Buffer.from([22, 3, 1]), vector(2, message)]).toString("hex");
}

test("the name that a TLS client wants is read, and one that is too long for any host is none", async () => {
  const names = ["Www.Example", "a".repeat(253), "a".repeat(254), "a".repeat(16_000)];
  expect(await ask("server_name", names.map(hello))).toEqual(["www.example", "a".repeat(253), "", ""]);
});
