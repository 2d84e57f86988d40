// What a rule's scheme means to requests that come by http and by https.
import { request as rawRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Echo } from "../../harness/backend.ts";
import { makeCertificate } from "../../harness/certificate.ts";
import { requestTls, type TlsAnswer, type TlsOptions } from "../../harness/https.ts";
import { startNode } from "../../harness/node.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { certificate, domain, rule } from "../values.ts";

const pair = makeCertificate(["*.example"]);
let its: FilteredNode;

beforeAll(async () => {
  its = await startFiltered();
  await its.node.apply([certificate("default", pair), domain("*", ["default"])]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});

function tls(host: string, path = "/", options: TlsOptions = {}): Promise<TlsAnswer> {
  return requestTls(its.node.ports.https, host, path, options);
}

/** The statuses by http and by https. */
async function statuses(host: string, path = "/"): Promise<[number, number]> {
  return [(await its.get(host, path)).status, (await tls(host, path)).status];
}

describe("schemes", () => {
  test.each<[string, [number, number]]>([
    ["http", [200, 404]],
    ["https", [404, 200]],
    ["httptohttps", [308, 200]],
    ["httpandhttps", [200, 200]],
  ])("%s", async (scheme, expected) => {
    const host = await its.route({ scheme });
    expect(await statuses(host)).toEqual(expected);
    // Once more, now that the balancer knows the host by heart.
    expect(await statuses(host)).toEqual(expected);
  });

  test("a host of the other listener falls to no wildcard", async () => {
    await its.node.apply([
      rule("*.wild.example", "web", { more: { scheme: "httpandhttps" } }),
      rule("only.wild.example", "web", { more: { scheme: "https" } }),
    ]);
    expect(await statuses("other.wild.example")).toEqual([200, 200]);
    expect(await statuses("only.wild.example")).toEqual([404, 200]);
    const page = await its.get("only.wild.example", "/", { headers: { accept: "text/html" } });
    expect(page.text).toContain("No application answers to this address.");
  });

  test("each listener has its own rules of one host, in one order", async () => {
    const host = "split.example";
    await its.node.apply([
      rule(host, "web", { name: "a", path: "/", more: { scheme: "httptohttps" } }),
      rule(host, "web", { name: "b", path: "/open", more: { scheme: "http" } }),
      rule(host, "web", { name: "c", path: "/both", more: { scheme: "httpandhttps" } }),
    ]);
    expect(await statuses(host)).toEqual([308, 200]);
    expect(await statuses(host, "/open/x")).toEqual([200, 200]);
    expect(await statuses(host, "/both")).toEqual([200, 200]);
  });

  test("a rule may name its listeners", async () => {
    for (const [listeners, expected] of [
      [[], [308, 200]],
      [["https"], [404, 200]],
      [["http"], [308, 404]],
      [
        ["http", "https"],
        [308, 200],
      ],
    ] as const) {
      expect(await statuses(await its.route({ scheme: "httptohttps", listeners }))).toEqual(expected);
    }
    expect(await its.reasons({ listeners: ["moon"] })).toEqual(["listeners[0]: a listener must be one of http, https"]);
  });

  test("a change of scheme is seen at once", async () => {
    const host = "turns.example";
    for (const [scheme, expected] of [
      ["http", [200, 404]],
      ["https", [404, 200]],
      ["httptohttps", [308, 200]],
      ["http", [200, 404]],
    ] as const) {
      await its.node.apply([rule(host, "web", { more: { scheme } })]);
      expect(await statuses(host)).toEqual(expected);
    }
  });
});

describe("to https", () => {
  let host: string;
  beforeAll(async () => {
    host = await its.route({ scheme: "httptohttps", filters: [{ type: "Hsts", hsts: { maxAge: 60 } }] });
  });

  test.each(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s, path and query as they were", async (method) => {
    const answer = await its.get(`${host}:1080`, "/a%20b//c/%2e?q=1&q=%0d%0a", {
      method,
      ...(method === "POST" ? { body: "x".repeat(200_000) } : {}),
    });
    expect([answer.status, answer.headers.location]).toEqual([308, `https://${host}/a%20b//c/%2e?q=1&q=%0d%0a`]);
    expect(answer.headers["strict-transport-security"]).toBeUndefined();
  });

  test("HSTS is said by https only", async () => {
    expect((await tls(host)).headers["strict-transport-security"]).toBe("max-age=60");
  });

  test("a challenge is answered where it is asked", async () => {
    const path = "/.well-known/acme-challenge/token";
    expect(JSON.parse((await its.get(host, path)).text)).toMatchObject({ url: path });
    expect((await its.get(host, "/.well-known/acme-challenge")).status).toBe(308);
    expect((await its.get(host, "/.well-known/acme-challenge/../secret")).status).toBe(308);
    expect((await its.get(host, "/.well-known/acme-challenge/%2e%2e/secret")).status).toBe(308);
  });

  test("no backend is needed", async () => {
    const empty = await its.route({ scheme: "httptohttps" }, { pools: [] });
    expect(await statuses(empty)).toEqual([308, 503]);
  });

  test("who says no host has no address to go to", async () => {
    await its.node.apply([rule("*", "web", { more: { scheme: "httptohttps" } })]);
    expect((await its.get("any.test", "/x")).headers.location).toBe("https://any.test/x");
    const status = await new Promise((resolve, reject) => {
      const outgoing = rawRequest({ port: its.node.ports.http, setHost: false, agent: false }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
    expect(status).toBe(400); // HTTP/1.1 demands it
  });

  test("the port is said where clients find https at another than 443", async () => {
    await using node = await startNode({ publicHttpsPort: 10_443 });
    await node.apply([
      rule("a.example", "web", { more: { scheme: "httptohttps" } }),
      rule("b.example", "web", {
        more: { filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }] },
      }),
    ]);
    expect((await node.get("a.example:1080", "/x")).headers.location).toBe("https://a.example:10443/x");
    expect((await node.get("b.example", "/x")).headers.location).toBe("https://b.example:10443/x");
  });
});

test.each<[string, object, string, string]>([
  ["to https", { scheme: "https" }, "https://HOST/x", "https://HOST/x"],
  ["to http", { scheme: "http" }, "http://HOST/x", "http://HOST/x"],
  ["to https at its own port", { scheme: "https", port: 443 }, "https://HOST/x", "https://HOST/x"],
  ["to https at another", { scheme: "https", port: 8443 }, "https://HOST:8443/x", "https://HOST:8443/x"],
  ["to https at http's", { scheme: "https", port: 80 }, "https://HOST:80/x", "https://HOST:80/x"],
  ["the request's scheme", { hostname: "new.example" }, "http://new.example/x", "https://new.example/x"],
  ["its port beside it", { port: 80 }, "http://HOST/x", "https://HOST:80/x"],
])("RequestRedirect: %s", async (_, requestRedirect, byHttp, byHttps) => {
  const filters = [{ type: "RequestRedirect", requestRedirect: { statusCode: 301, ...requestRedirect } }];
  const host = await its.route({ scheme: "httpandhttps", filters });
  expect((await its.get(host, "/x")).headers.location).toBe(byHttp.replace("HOST", host));
  expect((await tls(host, "/x")).headers.location).toBe(byHttps.replace("HOST", host));
});

test("bodies and filters by https as by http", async () => {
  const set = [{ name: "X-Seen", value: "yes" }];
  const host = await its.route({
    scheme: "https",
    filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set } }],
  });
  const body = "b".repeat(300_000);
  const echo = JSON.parse((await tls(host, "/p?q", { method: "POST", body })).text) as Echo;
  expect(echo).toMatchObject({
    method: "POST",
    url: "/p?q",
    body,
    headers: {
      "x-seen": "yes",
      "x-forwarded-proto": "https",
      "x-forwarded-port": String(its.node.ports.https),
      "x-forwarded-host": host,
    },
  });
});
