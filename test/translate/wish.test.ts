/** What annotations beside hosts and ports mean: the rule that comes of them, or the sentence that says what to change. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Rule } from "../../shared/model/rule.ts";
import type { SeenIngress } from "../../shared/model/seen/ingress.ts";
import { drive, type World } from "./drive.ts";
import { ingress, path, port, service } from "./seen.ts";

const world: World = {
  objects: [
    service(),
    service({ name: "next", ports: [port(8080, { name: "http" })] }),
    service({ name: "outside", type: "ExternalName" }),
  ],
};

function translated(annotations: Record<string, string>, more: Partial<SeenIngress> = {}) {
  return drive(ingress(["a.example"], { annotations, ...more }), world);
}

function rules(annotations: Record<string, string>, more: Partial<SeenIngress> = {}): Partial<Rule>[] {
  const { resources, problems } = translated(annotations, more);
  expect(problems).toEqual([]);
  return Object.entries(resources["openresty"] ?? {}).flatMap(([key, value]) =>
    key.startsWith("Rule/") ? [value as Rule] : [],
  );
}

const filters = (annotations: Record<string, string>) => rules(annotations)[0]?.filters;

test("nothing asked, nothing said", () => {
  const [rule] = rules({});
  expect(rule?.filters).toEqual([]);
  expect(rule).not.toHaveProperty("timeouts");
  expect(rule).not.toHaveProperty("retry");
  expect(rules({ "rate-limit": "  ", gzip: "false" })[0]?.filters).toEqual([]);
});

test.each<[Record<string, string>, object]>([
  [{ "rewrite-target": "/x" }, rewrite({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } })],
  [{ "upstream-vhost": "in.example" }, rewrite({ hostname: "in.example" })],
  [
    { "permanent-redirect": "/new" },
    redirect({ statusCode: 301, path: { type: "ReplaceFullPath", replaceFullPath: "/new" } }),
  ],
  [
    { "temporal-redirect": "http://b.example:8080/x" },
    redirect({
      scheme: "http",
      statusCode: 302,
      hostname: "b.example",
      port: 8080,
      path: { type: "ReplaceFullPath", replaceFullPath: "/x" },
    }),
  ],
  [
    { "temporal-redirect": "http://b.example", "redirect-code": "307" },
    redirect({ statusCode: 307, scheme: "http", hostname: "b.example" }),
  ],
  [
    { "request-headers": "X-A: 1: 2\n +X-B:  b \n\n-X-C" },
    {
      type: "RequestHeaderModifier",
      requestHeaderModifier: {
        set: [{ name: "X-A", value: "1: 2" }],
        add: [{ name: "X-B", value: "b" }],
        remove: ["X-C"],
      },
    },
  ],
  [
    { "response-headers": "Cache-Control: no-store" },
    {
      type: "ResponseHeaderModifier",
      responseHeaderModifier: { set: [{ name: "Cache-Control", value: "no-store" }] },
    },
  ],
  [{ "body-limit": "10m" }, { type: "BodyLimit", bodyLimit: { maxBytes: 10_485_760 } }],
  [{ "body-limit": "0" }, { type: "BodyLimit", bodyLimit: { maxBytes: 0 } }],
  [{ "rate-limit": "10r/s" }, { type: "RateLimit", rateLimit: { requests: 10, period: "1s" } }],
  [
    { "rate-limit": "100r/m", "rate-limit-burst": "20", "rate-limit-by": "header: X-Key" },
    {
      type: "RateLimit",
      rateLimit: { requests: 100, period: "1m", burst: 20, key: { type: "Header", name: "X-Key" } },
    },
  ],
  [
    { "rate-limit": "1r/h", "rate-limit-by": "all" },
    { type: "RateLimit", rateLimit: { requests: 1, period: "1h", key: { type: "All" } } },
  ],
  [
    { "allow-source-ranges": "10.0.0.0/8, 2001:db8::/32", "deny-source-ranges": "10.1.2.3" },
    { type: "SourceRanges", sourceRanges: { allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.1.2.3"] } },
  ],
  [{ gzip: "true" }, { type: "Gzip", gzip: {} }],
  [{ hsts: "31536000" }, { type: "Hsts", hsts: { maxAge: 31_536_000 } }],
  [
    { hsts: "max-age=1; includeSubDomains; preload" },
    { type: "Hsts", hsts: { maxAge: 1, includeSubDomains: true, preload: true } },
  ],
  [
    { "cors-allow-origins": "https://a.example, https://*.b.example:8443" },
    {
      type: "CORS",
      cors: {
        allowOrigins: ["https://a.example", "https://*.b.example:8443"],
        allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allowHeaders: ["*"],
      },
    },
  ],
  [
    {
      "cors-allow-origins": "*",
      "cors-allow-methods": "GET,PUT",
      "cors-allow-headers": "X-A, X-B",
      "cors-expose-headers": "X-C",
      "cors-allow-credentials": "true",
      "cors-max-age": "600",
    },
    {
      type: "CORS",
      cors: {
        allowOrigins: ["*"],
        allowMethods: ["GET", "PUT"],
        allowHeaders: ["X-A", "X-B"],
        exposeHeaders: ["X-C"],
        allowCredentials: true,
        maxAge: 600,
      },
    },
  ],
  [{ mirror: "next:8080=25" }, { type: "RequestMirror", requestMirror: { pool: "Pool/shop/next/8080", percent: 25 } }],
])("%j", (annotations, filter) => {
  expect(filters(annotations)).toEqual([filter]);
});

function rewrite(urlRewrite: object): object {
  return { type: "URLRewrite", urlRewrite };
}

function redirect(requestRedirect: object): object {
  return { type: "RequestRedirect", requestRedirect };
}

describe("beside filters", () => {
  test("timeouts and retries", () => {
    expect(rules({ "request-timeout": "30s", "backend-timeout": "1m30s" })[0]?.timeouts).toEqual({
      request: "30s",
      backendRequest: "1m30s",
    });
    const asked = { retries: "2", "retry-on": "502, 503", "retry-backoff": "100ms" };
    expect(rules(asked)[0]?.retry).toEqual({ attempts: 2, codes: [502, 503], backoff: "100ms" });
    expect(rules({ retries: "0" })[0]?.retry).toEqual({ attempts: 0 });
  });

  test("matches", () => {
    const asked = {
      "match-method": "POST",
      "match-headers": "X-Version: 2\nX-Group: ~beta|gamma",
      "match-query": "user=me\nid=~\\d+",
    };
    expect(rules(asked)[0]?.matches).toEqual({
      path: { type: "prefix", value: "/" },
      method: "POST",
      headers: [
        { type: "exact", name: "X-Version", value: "2" },
        { type: "regex", name: "X-Group", value: "beta|gamma" },
      ],
      query: [
        { type: "exact", name: "user", value: "me" },
        { type: "regex", name: "id", value: "\\d+" },
      ],
    });
  });

  test("regular expressions, and what they found in a rewrite; other paths of the same Ingress keep their meaning", () => {
    const paths = [
      path("/api/v(\\d+)/(.*)", "ImplementationSpecific"),
      path("/exact", "Exact"),
      path("/prefix", "Prefix"),
    ];
    const asked = { "use-regex": "true", "rewrite-target": "/$1/$2" };
    const [regex, exact, prefix] = rules(asked, { rules: [{ host: "a.example", paths }] });
    expect(regex?.matches?.path).toEqual({ type: "regex", value: "/api/v(\\d+)/(.*)" });
    expect([regex, exact, prefix].map((rule) => rule?.filters?.[0])).toEqual([
      rewrite({ path: { type: "ReplaceRegexMatch", replaceRegexMatch: "/$1/$2" } }),
      rewrite({ path: { type: "ReplaceFullPath", replaceFullPath: "/$1/$2" } }),
      rewrite({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/$1/$2" } }),
    ]);
  });

  test("a canary takes its share, and is claimed", () => {
    const driven = translated({ canary: "next:http=10" });
    expect(rules({ canary: "next:http=10" })[0]?.pools).toEqual([
      { pool: "Pool/shop/web/80", weight: 90 },
      { pool: "Pool/shop/next/8080", weight: 10 },
    ]);
    expect(driven.claimed["Service/shop/next"]).toEqual({
      type: "pool",
      uses: [{ balancer: "openresty", port: "http" }],
    });
  });

  test.each([
    ["canary", "gone:80=10", /Service shop\/gone does not exist yet/],
    ["mirror", "next:81", /Service shop\/next has no TCP port "81"/],
    ["mirror", "outside:80", /ExternalName/],
  ])("%s %s: a remark, and the rule without it", (name, value, sentence) => {
    const { problems, failed, resources } = translated({ [name]: value });
    expect({ problems, failed }).toEqual({
      problems: [{ sentence: expect.stringMatching(sentence), deny: false }],
      failed: false,
    });
    expect(resources["openresty"]?.["Rule/a.example/Ingress/shop/web/0"]).toMatchObject({
      filters: [],
      pools: [{ pool: "Pool/shop/web/80", weight: 1 }],
    });
  });
});

describe("on a Service", () => {
  const ask = (annotations: Record<string, string>) =>
    drive(service({ annotations: { http: "a.example", ...annotations }, ports: [port(80), port(81)] }), world);

  test("the same; its own ports and those of others may be shared", () => {
    const { resources, problems } = ask({ "rate-limit": "1r/s", canary: "web:81=5", mirror: "next:8080" });
    expect(problems).toEqual([]);
    expect(Object.keys(resources["openresty"] ?? {}).sort()).toEqual([
      "Pool/shop/web/80",
      "Pool/shop/web/81",
      "Rule/a.example/Service/shop/web/0",
    ]);
    expect(resources["openresty"]?.["Rule/a.example/Service/shop/web/0"]).toMatchObject({
      filters: [{ type: "RateLimit" }, { type: "RequestMirror", requestMirror: { pool: "Pool/shop/next/8080" } }],
      pools: [
        { pool: "Pool/shop/web/80", weight: 95 },
        { pool: "Pool/shop/web/81", weight: 5 },
      ],
    });
  });

  test("Rainbond's routes, too", () => {
    const labels = { protocol: "http", domain: "b.example" };
    const { resources } = drive(service({ labels, annotations: { gzip: "true" } }));
    expect(resources["openresty"]?.["Rule/b.example/Service/shop/web/0"]).toMatchObject({
      filters: [{ type: "Gzip" }],
    });
  });

  test("who routes nowhere claims nothing", () => {
    const driven = drive(service({ annotations: { mirror: "next:8080" } }), world);
    expect(driven).toMatchObject({ reads: [], problems: [] });
  });

  test("a port that it has not", () => {
    expect(ask({ canary: "web:82=5" }).problems).toEqual([
      { sentence: 'Service shop/web has no TCP port "82"', deny: false },
    ]);
  });
});

test.each<[Record<string, string>, RegExp]>([
  [{ "rewrite-target": "x" }, /rewrite-target: "x": must begin with \/; write \/PATH$/],
  [{ "rewrite-target": "/x?y" }, /must have no \?/],
  [{ "rewrite-target": "/a\r\nEvil: 1" }, /no control characters/],
  [{ "rewrite-target": "/$1" }, /\$1 to \$9 need use-regex/],
  [{ "use-regex": "yes" }, /"yes": is neither "true" nor "false"; write "true" or "false"/],
  [{ "upstream-vhost": "A.example" }, /must be a host name in lower case; write HOST/],
  [{ "upstream-vhost": "*.example" }, /must be a host name/],
  [{ "permanent-redirect": "https://a.example:x/" }, /is no path and no address/],
  [{ "permanent-redirect": "ftp://a.example/" }, /is no path and no address; write \/PATH or http\[s\]:\/\/HOST/],
  [{ "permanent-redirect": "http://a.example:0/" }, /a port is a whole number/],
  [{ "temporal-redirect": "/a", "permanent-redirect": "/b" }, /there is a permanent-redirect, too: keep one/],
  [{ "permanent-redirect": "/a", "redirect-code": "200" }, /must be one of 301/],
  [{ "permanent-redirect": "/a", "rewrite-target": "/b" }, /a redirect leaves nothing to rewrite/],
  [{ "request-headers": "X-A" }, /must be a header's name.*; write one on each line/],
  [{ "request-headers": "Host: a" }, /a rewrite changes the Host/],
  [{ "request-headers": "+X-Real-IP: 1.1.1.1" }, /the node says it itself/],
  [{ "response-headers": "-Connection" }, /it belongs to the connection/],
  [{ "response-headers": "X A: b" }, /must be a header's name/],
  [{ "body-limit": "10 MB" }, /write a number of bytes, or of k, m or g, such as 10m/],
  [{ "body-limit": "-1" }, /body-limit: "-1"/],
  [{ "body-limit": "9999g" }, /body-limit: "9999g"/],
  [{ "rate-limit": "10" }, /write a number of requests per s, m or h, such as 10r\/s/],
  [{ "rate-limit": "0r/s" }, /must be at least 1/],
  [{ "rate-limit": "10r/d" }, /rate-limit: "10r\/d"/],
  [{ "rate-limit-burst": "10" }, /means nothing without entrance\.dev\/rate-limit/],
  [{ "rate-limit": "1r/s", "rate-limit-by": "cookie" }, /write address, all or header:NAME/],
  [{ "allow-source-ranges": "10.0.0.0/33" }, /must be an address or a range such as/],
  [{ "allow-source-ranges": "10.0.0.0/8,," }, /must be an address or a range/],
  [{ "deny-source-ranges": "example.org" }, /must be an address or a range/],
  [{ "cors-allow-methods": "GET" }, /means nothing without entrance\.dev\/cors-allow-origins/],
  [{ "cors-allow-origins": "a.example" }, /must be an origin such as/],
  [{ "cors-allow-origins": "*", "cors-max-age": "1d" }, /write seconds, at most 86400/],
  [{ "cors-allow-origins": "*", "cors-allow-methods": "get" }, /must be a method such as PUT/],
  [{ gzip: "on" }, /is neither "true" nor "false"/],
  [{ hsts: "max-age=1; forever" }, /write seconds, or max-age=SECONDS; includeSubDomains; preload/],
  [{ "request-timeout": "30" }, /must be a duration such as 10s.*; write a duration such as 30s/],
  [{ "backend-timeout": "25h" }, /at most 86400s/],
  [{ retries: "6" }, /write a number from 0 to 5/],
  [{ "retry-on": "503" }, /means nothing without entrance\.dev\/retries/],
  [{ retries: "1", "retry-on": "404" }, /write some of 500,502,503,504/],
  [{ retries: "1", "retry-backoff": "1h" }, /at most 10s/],
  [{ mirror: "next" }, /is no Service and port; write SERVICE:PORT/],
  [{ mirror: "Next:80" }, /is no Service and port/],
  [{ mirror: "next:99999" }, /a port is a whole number/],
  [{ canary: "next:80" }, /the share is a number from 0 to 100; write SERVICE:PORT=PERCENT/],
  [{ canary: "next:80=101" }, /the share is a number/],
  [{ "match-method": "post" }, /write a method such as POST/],
  [{ "match-headers": "X-A" }, /write NAME: VALUE or NAME: ~EXPRESSION/],
  [{ "match-query": "=x" }, /write NAME=VALUE/],
])("refuses %j", (annotations, sentence) => {
  for (const driven of [
    translated(annotations),
    drive(service({ annotations: { http: "a.example", ...annotations } }), world),
  ]) {
    expect(driven.problems[0]).toEqual({ sentence: expect.stringMatching(sentence), deny: true });
    expect(driven.problems[0]?.sentence).toMatch(/^annotation entrance\.dev\/[\x20-\x7e]+$/);
    expect(driven).toMatchObject({ failed: true, reads: [], resources: {} });
  }
});

test("a regular expression is bounded, and none of a Service's", () => {
  const long = [{ host: "a.example", paths: [path(`/${"a".repeat(600)}`, "ImplementationSpecific")] }];
  expect(translated({ "use-regex": "true" }, { rules: long }).problems[0]?.sentence).toMatch(
    /more than 512 characters/,
  );
  const driven = drive(service({ annotations: { http: "a.example", "use-regex": "true" } }));
  expect(driven.problems[0]?.sentence).toMatch(/a Service's paths are prefixes/);
});

const names = [
  "rewrite-target use-regex upstream-vhost permanent-redirect temporal-redirect redirect-code request-headers",
  "response-headers body-limit rate-limit rate-limit-burst rate-limit-by allow-source-ranges deny-source-ranges",
  "cors-allow-origins cors-allow-methods cors-allow-headers cors-expose-headers cors-allow-credentials cors-max-age",
  "gzip hsts request-timeout backend-timeout retries retry-on retry-backoff mirror canary",
  "match-method match-headers match-query",
].flatMap((line) => line.split(" "));
const piece = fc.oneof(
  fc.constantFrom(
    "/",
    "a",
    "1",
    "10r/s",
    "true",
    "*",
    "10m",
    "30s",
    "503",
    ",",
    ":",
    "=",
    "\n",
    "+",
    "-",
    "~",
    "%",
    "$1",
  ),
  fc.constantFrom(
    "https://a.example",
    "http://b.example:80/x",
    "X-A: b",
    "next:8080=5",
    "10.0.0.0/8",
    "\r\n",
    "\u0000",
  ),
  fc.string({ maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));

test("whatever is written: a rule that a node can parse, or a sentence", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 5 }), (annotations) => {
      const driven = translated(annotations);
      expect(driven.failed).toBe(driven.problems.some(({ deny }) => deny));
      for (const { sentence } of driven.problems) expect(sentence).toMatch(/^[\x20-\x7e]{1,600}$/);
    }),
    { numRuns: 2_000 },
  );
});
