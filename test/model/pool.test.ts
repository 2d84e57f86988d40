import { describe, expect, test } from "vitest";
import { parseResource } from "../../shared/model/resource.ts";

const plain = { protocol: "http", balance: "round-robin", alias: "shop@web_8080.Pool" };
const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const hashed = { ...plain, balance: "hash" };
const checked = (active: object) => ({ ...plain, health: { active: { type: "http", ...active } } });

describe("a pool", () => {
  test.each<[string, object]>([
    ["as it always was", plain],
    ["as Rainbond's", { ...plain, fallback: "unready" }],
    ["least connections", { ...plain, balance: "least-connections" }],
    ["by a header", { ...hashed, hash: { by: "header", name: "X-User" } }],
    ["by a cookie", { ...hashed, hash: { by: "cookie", name: "session_id" } }],
    ["by the client's address", { ...hashed, protocol: "tcp", hash: { by: "source" } }],
    ["a cookie of the node", { ...plain, affinity: { cookie: "route", maxAge: "24h" } }],
    ["beside any balance", { ...hashed, hash: { by: "source" }, affinity: { cookie: "__Host-route" } }],
    ["slow start", { ...plain, slowStart: "1m30s" }],
    ["asked by http", checked({ path: "/healthz?full=1", host: "web.shop.example", statuses: "200-299,401" })],
    ["asked often", checked({ interval: "100ms", timeout: "100ms", healthy: 1, unhealthy: 100 })],
    ["asked by grpc", { ...plain, protocol: "grpc", health: { active: { type: "grpc" } } }],
    ["asked by tcp", { ...plain, protocol: "tcp", health: { active: { type: "tcp" } } }],
    ["never set aside", { ...plain, health: { passive: { failures: 0 } } }],
    ["set aside", { ...plain, health: { active: { type: "tcp" }, passive: { failures: 3, for: "10s" } } }],
    ["TLS", { ...plain, protocol: "https", tls: { verify: false } }],
    ["verified TLS", { ...plain, protocol: "grpc", tls: { verify: true, name: "web.shop.svc", ca } }],
    ["PROXY protocol", { ...plain, protocol: "tcp", proxyProtocol: "v2" }],
  ])("%s", (_, value) => {
    expect(parseResource("Pool/shop/web/80", value)).toEqual({ ok: true, value });
  });

  test.each<[string, object, RegExp]>([
    ["protocol ftp", { ...plain, protocol: "ftp" }, /protocol: must be one of http, h2c, grpc, https, tcp, udp/],
    ["no balance", { protocol: "http", alias: "" }, /balance/],
    ["balance random", { ...plain, balance: "random" }, /round-robin, least-connections, hash/],
    ["hash by nothing", hashed, /exactly where balance is hash/],
    ["a hash that nobody asked for", { ...plain, hash: { by: "source" } }, /exactly where balance is hash/],
    ["hash by the moon", { ...hashed, hash: { by: "moon" } }, /header, cookie or source/],
    ["hash by a header without a name", { ...hashed, hash: { by: "header" } }, /hash/],
    [
      "hash by a header's line",
      { ...hashed, hash: { by: "header", name: "X: 1\r\nY" } },
      /letters, digits and hyphens/,
    ],
    ["hash by a source with a name", { ...hashed, hash: { by: "source", name: "eth0" } }, /must be absent/],
    ["a cookie with a value", { ...plain, affinity: { cookie: "a=b; Path=/" } }, /letters, digits and hyphens/],
    ["a cookie for no time", { ...plain, affinity: { cookie: "a", maxAge: "0s" } }, /from 1000ms to/],
    ["slow start without a unit", { ...plain, slowStart: "30" }, /10s, 500ms or 1m30s/],
    ["slow start for a day", { ...plain, slowStart: "24h" }, /3600s/],
    ["asked by ping", { ...plain, health: { active: { type: "icmp" } } }, /http, grpc or tcp/],
    ["asked without a pause", checked({ interval: "10ms" }), /from 100ms/],
    ["a path without a slash", checked({ path: "healthz" }), /begin with \//],
    ["a path with a line of its own", checked({ path: "/ HTTP/1.1\r\nX: y" }), /visible characters/],
    ["a Host that is a URL", checked({ host: "http://web" }), /host name/],
    ["statuses upside down", checked({ statuses: "399-200" }), /such as 200-399,401/],
    ["statuses in words", checked({ statuses: "ok" }), /such as 200-399,401/],
    ["no good answer ever needed", checked({ healthy: 0 }), /from 1 to 100/],
    ["half an answer", checked({ unhealthy: 1.5 }), /from 1 to 100/],
    ["failures without end", { ...plain, health: { passive: { failures: 1_001 } } }, /from 0 to 1000/],
    ["TLS to plain members", { ...plain, tls: { verify: false } }, /tls needs protocol https or grpc/],
    ["TLS by chance", { ...plain, protocol: "https", tls: {} }, /tls\.verify/],
    ["an authority that is none", { ...plain, protocol: "https", tls: { verify: true, ca: "mine" } }, /PEM/],
    ["any name", { ...plain, protocol: "https", tls: { verify: true, name: "*.example" } }, /host name/],
    ["PROXY protocol to http members", { ...plain, proxyProtocol: "v1" }, /proxyProtocol needs protocol tcp/],
    ["PROXY protocol of the future", { ...plain, protocol: "tcp", proxyProtocol: "v3" }, /v1 or v2/],
  ])("%s: no", (_, value, reason) => {
    const parsed = parseResource("Pool/shop/web/80", value);
    expect(parsed.ok ? "accepted" : parsed.reason).toMatch(reason);
  });
});

describe("a domain", () => {
  test.each<[string, object]>([
    ["with certificates", { tenant: "shop", certificates: ["Certificate/shop/tls"] }],
    ["passed through", { tenant: "shop", certificates: [], passthrough: "Pool/shop/web/443" }],
  ])("%s", (_, value) => {
    expect(parseResource("Domain/www.shop.example", value)).toEqual({ ok: true, value });
  });

  test("passed through to nowhere: no", () => {
    const value = { tenant: "shop", certificates: [], passthrough: "web:443" };
    expect(parseResource("Domain/www.shop.example", value)).toEqual({
      ok: false,
      reason: "passthrough: must be the key of a Pool",
    });
  });
});

describe("a listener", () => {
  const value = { port: 3306, protocol: "tcp", addresses: ["::1"], pool: "Pool/shop/db/3306", enabled: true };

  test.each<[string, object]>([
    ["tcp", value],
    ["udp", { ...value, protocol: "udp", addresses: [] }],
    ["closed for now", { ...value, enabled: false }],
  ])("%s", (_, listener) => {
    expect(parseResource("VirtualService/tcp/3306", listener)).toEqual({ ok: true, value: listener });
  });

  test.each<[string, object, RegExp]>([
    ["http", { ...value, protocol: "http" }, /tcp or udp/],
    ["port 0", { ...value, port: 0 }, /from 1 to 65535/],
    ["an address that is a name", { ...value, addresses: ["localhost"] }, /IPv4 or IPv6/],
    ["no pool", { ...value, pool: undefined }, /pool/],
  ])("%s: no", (_, listener, reason) => {
    const parsed = parseResource("VirtualService/tcp/3306", listener);
    expect(parsed.ok ? "accepted" : parsed.reason).toMatch(reason);
  });
});
