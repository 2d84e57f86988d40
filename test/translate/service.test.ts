import { describe, expect, test } from "vitest";
import type { SeenService } from "../../shared/model/seen/service.ts";
import type { ClaimOfUser, Translation } from "../../shared/translate/translation.ts";
import { drive, settings, user, type World } from "./drive.ts";
import { created, port, service } from "./seen.ts";

const me = user("Service", "shop", "web");

/** `Rule key → scheme path pool`, `Pool key → protocol`, on the first balancer. */
function shape(translation: Translation, balancer = "openresty"): Record<string, string> {
  return Object.fromEntries(
    Object.entries(translation.resources[balancer] ?? {}).map(([key, value]) => [key, describeValue(value)]),
  );
}

function describeValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if ("scheme" in value && "matches" in value && "pools" in value) {
    return `${value.scheme} ${JSON.stringify(value.matches)} ${JSON.stringify(value.pools)}`;
  }
  return "protocol" in value ? String(value.protocol) : JSON.stringify(value);
}

const rule = (scheme: string, path: string, number = 80) =>
  `${scheme} {"path":{"type":"prefix","value":"${path}"}} [{"pool":"Pool/shop/web/${number}","weight":1}]`;

function annotated(annotations: Record<string, string>, more: Partial<SeenService> = {}, world: World = {}) {
  return drive(service({ annotations, ...more }), world);
}

test("a Service that asks for nothing gets nothing", () => {
  const nothing = { resources: {}, problems: [], failed: false, reads: [], readsNamespace: false, claimed: {} };
  expect(drive(service())).toEqual(nothing);
});

describe("Rainbond's labels", () => {
  const labels = { tenant_name: "t", protocol: "http", domain: "www.shop.example___shop.example" };

  test("http: a rule for each domain, claimed for the tenant", () => {
    const driven = drive(service({ labels }));
    expect(shape(driven)).toEqual({
      "Pool/shop/web/80": "http",
      "Rule/www.shop.example/Service/shop/web/0": rule("http", "/"),
      "Rule/shop.example/Service/shop/web/0": rule("http", "/"),
    });
    const claim = { type: "domain", tenant: "t", created, reserved: false, balancers: ["openresty"], certificates: [] };
    expect(driven.claimed).toEqual({ "Domain//www.shop.example": claim, "Domain//shop.example": claim });
  });

  test("https", () => {
    expect(shape(drive(service({ labels: { ...labels, protocol: "https", domain: "a.example" } })))).toMatchObject({
      "Rule/a.example/Service/shop/web/0": rule("https", "/"),
    });
  });

  test("its pool keeps an unready pod that is the only one, and has Rainbond's name", () => {
    const { resources } = drive(service({ labels, selectorName: "gr1a" }));
    expect(resources["openresty"]?.["Pool/shop/web/80"]).toEqual({
      protocol: "http",
      balance: "round-robin",
      alias: "t@gr1a_8080.Pool",
      fallback: "unready",
    });
  });

  test.each<[string, string, Record<string, string>, number | string, string]>([
    ["replaces the first label", "8080.web.example", { origin_port: "5001" }, 8080, "5001.web.example"],
    ["only of the first domain", "a.example___8080.b.example", { origin_port: "5001" }, 8080, "8080.b.example"],
    ["only where it is the container port", "9090.web.example", { origin_port: "5001" }, 8080, "9090.web.example"],
    ["only where that is a number", "8080.web.example", { origin_port: "5001" }, "http", "8080.web.example"],
    ["only where there is one", "8080.web.example", {}, 8080, "8080.web.example"],
  ])("origin_port %s", (_, domain, origin, targetPort, expected) => {
    const object = service({ labels: { ...labels, ...origin, domain }, ports: [port(80, { targetPort })] });
    expect(Object.keys(shape(drive(object)))).toContain(`Rule/${expected}/Service/shop/web/0`);
  });

  test("the default domain, where a suffix is set", () => {
    const world = { settings: { ...settings, httpSuffix: "apps.example" } };
    const labelled = { tenant_name: "t", protocol: "http" };
    expect(Object.keys(shape(drive(service({ labels: labelled, selectorName: "gr1a" }), world)))).toEqual([
      "Pool/shop/web/80",
      "Rule/8080.gr1a.t.apps.example/Service/shop/web/0",
    ]);
    expect(Object.keys(shape(drive(service({ labels: labelled }), world)))).toContain(
      "Rule/8080.web.t.apps.example/Service/shop/web/0",
    );
    expect(drive(service({ labels: { protocol: "http" } }), world).resources).toEqual({});
  });

  test.each<[string, Record<string, string>, Partial<SeenService>, string, string]>([
    ["stream", { protocol: "stream" }, {}, "tcp", "tcp"],
    ["mysql", { protocol: "mysql" }, {}, "tcp", "tcp"],
    ["no protocol", {}, {}, "tcp", "tcp"],
    ["udp", { protocol: "udp" }, {}, "udp", "udp"],
    ["a port by UDP", { protocol: "stream" }, { ports: [port(53, { protocol: "UDP" })] }, "udp", "udp"],
  ])("a listener: %s", (_, protocol, more, listener, pool) => {
    const driven = drive(service({ labels: { ...protocol, lbmap_port: "33061" }, ...more }));
    const number = more.ports === undefined ? 80 : 53;
    expect(shape(driven)).toEqual({ [`Pool/shop/web/${number}`]: pool });
    expect(driven.claimed).toEqual({
      [`Port/openresty/${listener}%3A33061`]: { type: "port", created, pool: `Pool/shop/web/${number}` },
    });
  });

  test.each(["", "0"])("no listener for lbmap_port %j", (lbmap_port) => {
    expect(drive(service({ labels: { protocol: "tcp", lbmap_port } })).reads).toEqual([]);
  });

  test("http has no listener of its own", () => {
    expect(drive(service({ labels: { ...labels, lbmap_port: "80" } })).reads).toEqual([
      "Domain//www.shop.example",
      "Domain//shop.example",
    ]);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{ protocol: "http", domain: "a b.example" }, /^label domain: "a b\.example": .*joined by ___$/],
    [{ protocol: "http", domain: "8080.x.example", origin_port: "99999" }, /^label origin_port: "99999": .*1 to 65535/],
    [{ protocol: "tcp", lbmap_port: "99999" }, /^label lbmap_port: "99999": .*1 to 65535/],
    [{ protocol: "tcp", lbmap_port: "-1" }, /^label lbmap_port: "-1"/],
  ])("refuses %j", (labels, sentence) => {
    const { failed, problems, reads } = drive(service({ labels }));
    expect({ failed, reads, deny: problems.map(({ deny }) => deny) }).toEqual({
      failed: true,
      reads: [],
      deny: [true],
    });
    expect(problems[0]?.sentence).toMatch(sentence);
  });
});

describe("annotations", () => {
  const ports = [port(80, { name: "http" }), port(9000, { name: "admin" }), port(53, { name: "dns", protocol: "UDP" })];

  test("http: hosts, paths and ports", () => {
    const http = "A.example, a.example/admin/=admin , *.b.example=9000";
    expect(shape(annotated({ http }, { ports }))).toEqual({
      "Pool/shop/web/80": "http",
      "Pool/shop/web/9000": "http",
      "Rule/a.example/Service/shop/web/0": rule("http", "/"),
      "Rule/a.example/Service/shop/web/1": rule("http", "/admin", 9000),
      "Rule/*.b.example/Service/shop/web/0": rule("http", "/", 9000),
    });
  });

  test("https redirects, and brings its certificate", () => {
    const driven = annotated({ https: "a.example", certificate: "shop-tls" });
    expect(shape(driven)).toMatchObject({ "Rule/a.example/Service/shop/web/0": rule("httptohttps", "/") });
    expect(driven.claimed["Domain//a.example"]).toMatchObject({ certificates: ["Certificate/shop/shop-tls"] });
  });

  test("https without a redirect", () => {
    expect(shape(annotated({ https: "a.example", "redirect-https": "false" }))).toMatchObject({
      "Rule/a.example/Service/shop/web/0": rule("httpandhttps", "/"),
    });
  });

  test("one route in both is one route, by https", () => {
    const labels = { protocol: "http", domain: "a.example" };
    expect(shape(annotated({ http: "a.example", https: "a.example" }, { labels }))).toEqual({
      "Pool/shop/web/80": "http",
      "Rule/a.example/Service/shop/web/0": rule("httptohttps", "/"),
    });
  });

  test("tcp and udp", () => {
    const driven = annotated({ tcp: "33061:80, 33062:admin", udp: "5300:dns" }, { ports });
    expect(shape(driven)).toEqual({
      "Pool/shop/web/80": "tcp",
      "Pool/shop/web/9000": "tcp",
      "Pool/shop/web/53": "udp",
    });
    expect(driven.reads).toEqual([
      "Port/openresty/tcp%3A33061",
      "Port/openresty/tcp%3A33062",
      "Port/openresty/udp%3A5300",
    ]);
  });

  test("a name server's port is one pool for both", () => {
    const both = [port(53, { name: "tcp" }), port(53, { name: "udp", protocol: "UDP" })];
    expect(shape(annotated({ tcp: "53:53", udp: "53:53" }, { ports: both }))).toEqual({ "Pool/shop/web/53": "tcp" });
    const apart = [port(53), port(53, { name: "udp", protocol: "UDP", targetPort: 1 })];
    expect(annotated({ udp: "53:53" }, { ports: apart }).problems[0]?.sentence).toMatch(/one port has one pool/);
  });

  test("a pool that serves requests is no L4 pool, and speaks what its port says", () => {
    const spoken = (appProtocol: string) =>
      shape(annotated({ http: "a.example", tcp: "33061:80" }, { ports: [port(80, { appProtocol })] }))[
        "Pool/shop/web/80"
      ];
    expect(["kubernetes.io/h2c", "https", "grpc", "kubernetes.io/ws", "http"].map(spoken)).toEqual([
      "h2c",
      "https",
      "grpc",
      "http",
      "http",
    ]);
  });

  test.each<[string, string, RegExp]>([
    ["http", "sho p.example", /^annotation entrance\.dev\/http: "sho p\.example": .*; write HOST\[\/PATH\]\[=PORT\]/],
    ["http", "a.example,,b.example", /^annotation entrance\.dev\/http: "": a host name must not be empty/],
    ["http", "a.example=99999", /"a\.example=99999": a port is a whole number from 1 to 65535/],
    ["http", "a.example=nope", /the Service has no TCP port "nope"/],
    ["http", "a.example=53", /the Service has no TCP port "53"/],
    ["http", "a.example=80,A.example/=9000", /"A\.example\/=9000": is named twice/],
    ["http", "a.example/x y", /a path has no spaces/],
    ["http", "a.example/x?y=80", /a path has no spaces, \? or #/],
    ["https", "10.1.2.3", /must not be an IP address/],
    ["certificate", "other/tls", /is no name of a Secret of this namespace/],
    ["redirect-https", "yes", /"yes" is neither "true" nor "false"/],
    ["tcp", "99999:80", /"99999:80": a port is a whole number from 1 to 65535; write LISTENER:PORT/],
    ["tcp", "33061", /is no pair of a listener and a port/],
    ["tcp", "33061:80:1", /is no pair/],
    ["tcp", "33061:53", /no TCP port "53"/],
    ["tcp", "33061:80,33061:9000", /tcp port 33061 is asked for twice/],
    ["udp", "5300:80", /no UDP port "80"/],
    ["class", "nginx", /"nginx" is no class of a balancer; known are entrance/],
  ])("refuses %s: %s", (name, value, sentence) => {
    const driven = annotated({ [name]: value }, { ports });
    expect(driven.failed).toBe(true);
    expect(driven.reads).toEqual([]);
    expect(driven.problems).toEqual([{ sentence: expect.stringMatching(sentence), deny: true }]);
  });

  test("what was written is quoted short and plain", () => {
    const [problem] = annotated({ http: `"\n\u202e<${"x".repeat(100)}` }).problems;
    expect(problem?.sentence).toMatch(/^[\x20-\x7e]*$/);
    expect(problem?.sentence.length).toBeLessThan(350);
  });

  test("too much at once", () => {
    const http = Array.from({ length: 257 }, (_, index) => `h${index}.example`).join(",");
    expect(annotated({ http }).problems).toEqual([
      { sentence: "it asks for 257 hosts, and one object may have 256: split it", deny: true },
    ]);
  });
});

describe("who gets what", () => {
  const http = "a.example,b.example";

  test("a host that another tenant holds is refused, the others are served", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "other" } } as const;
    const driven = annotated({ http }, {}, { holdings });
    expect(Object.keys(shape(driven))).toEqual(["Pool/shop/web/80", "Rule/b.example/Service/shop/web/0"]);
    expect(driven.problems).toEqual([
      { sentence: expect.stringMatching(/^a\.example is held by another tenant/), deny: true },
    ]);
    expect(driven.failed).toBe(false);
    expect(driven.problems[0]?.sentence).not.toContain("other;");
  });

  test("a pool of hosts that were all lost is not kept", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "other" } } as const;
    const driven = annotated({ http: "a.example" }, {}, { holdings });
    expect(driven.resources).toEqual({});
    expect(driven.reads).toEqual(["Domain//a.example"]);
  });

  test("a host that the tenant holds already is shared", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "shop" } } as const;
    expect(annotated({ http: "a.example" }, {}, { holdings }).problems).toEqual([]);
  });

  test("a port that another object holds", () => {
    const by = (holder: string) => ({ "Port/openresty/tcp%3A33061": { type: "port", by: holder } }) as const;
    const lost = annotated({ tcp: "33061:80" }, {}, { holdings: by(user("Service", "shop", "db")) });
    expect(lost.problems).toEqual([
      { sentence: "tcp port 33061 of balancer openresty is taken: choose a free one", deny: true },
    ]);
    expect(lost.resources).toEqual({});
    expect(annotated({ tcp: "33061:80" }, {}, { holdings: by(me) })).toMatchObject({ problems: [] });
  });

  test("another balancer, by its class or its name", () => {
    const two = { ...settings, balancers: [...settings.balancers, { name: "edge", classes: ["outside"] }] };
    for (const name of ["outside", "edge", " edge "]) {
      const driven = annotated({ http: "a.example", class: name }, {}, { settings: two });
      expect(Object.keys(driven.resources)).toEqual(["edge"]);
      expect(driven.claimed["Domain//a.example"]).toMatchObject({ balancers: ["edge"] });
    }
  });
});

describe("pools for others", () => {
  const asked = (balancer: string, number: number | string): ClaimOfUser => ({
    user: user("Ingress", "shop", "web"),
    claim: { type: "pool", uses: [{ balancer, port: number }] },
  });

  test("by number or name, on the balancer that asks", () => {
    const two = { ...settings, balancers: [...settings.balancers, { name: "edge", classes: [] }] };
    const claims = [asked("openresty", 80), asked("edge", "http"), asked("openresty", "http")];
    const { resources } = drive(service(), { claims, settings: two });
    const pool = { protocol: "http", balance: "round-robin", alias: "shop@web_8080.Pool" };
    expect(resources).toEqual({ openresty: { "Pool/shop/web/80": pool }, edge: { "Pool/shop/web/80": pool } });
  });

  test("not for a port that it has not, nor for a balancer that there is not", () => {
    expect(drive(service(), { claims: [asked("openresty", 81), asked("gone", 80)] })).toMatchObject({
      resources: {},
      problems: [],
    });
  });

  test("also while its own wishes cannot be used", () => {
    const driven = drive(service({ annotations: { http: "a b" } }), { claims: [asked("openresty", 80)] });
    expect(driven.failed).toBe(true);
    expect(shape(driven)).toEqual({ "Pool/shop/web/80": "http" });
  });

  test("the alias of a port with a named target has the Service's port", () => {
    const { resources } = drive(service({ ports: [port(80, { targetPort: "web" })] }), {
      claims: [asked("openresty", 80)],
    });
    expect(resources["openresty"]?.["Pool/shop/web/80"]).toMatchObject({ alias: "shop@web_80.Pool" });
  });
});

describe("nothing that could serve", () => {
  test("an ExternalName has no pools, and its routes a reason", () => {
    const claims = [{ user: me, claim: { type: "pool", uses: [{ balancer: "openresty", port: 80 }] } }] as const;
    const driven = annotated({ http: "a.example=80", tcp: "33061:80" }, { type: "ExternalName" }, { claims });
    expect(shape(driven)).toEqual({
      "Rule/a.example/Service/shop/web/0": 'http {"path":{"type":"prefix","value":"/"}} []',
    });
    expect(driven.problems).toEqual([{ sentence: expect.stringMatching(/is an ExternalName/), deny: false }]);
    expect(driven.reads).toEqual(["Domain//a.example"]);
  });

  test("a Service without ports", () => {
    const driven = drive(service({ ports: [], labels: { protocol: "http", domain: "a.example" } }));
    expect(driven.problems).toEqual([{ sentence: expect.stringMatching(/has no port that could serve/), deny: false }]);
    expect(Object.keys(shape(driven))).toEqual(["Rule/a.example/Service/shop/web/0"]);
  });
});

test("a load balancer of our class asks for all its ports, as they are, of the balancer that the class names", () => {
  const ports = [
    port(33_080, { name: "db" }),
    port(53, { name: "dns", protocol: "UDP" }),
    port(9, { name: "sctp", protocol: "SCTP" }),
  ];
  const balanced = drive(service({ type: "LoadBalancer", loadBalancerClass: "entrance.dev/openresty", ports }));
  expect(balanced.problems).toEqual([]);
  expect(shape(balanced)).toEqual({ "Pool/shop/web/33080": "tcp", "Pool/shop/web/53": "udp" });
  expect(balanced.reads.filter((each) => each.startsWith("Port/"))).toEqual([
    "Port/openresty/tcp%3A33080",
    "Port/openresty/udp%3A53",
  ]);
  const foreign = drive(service({ type: "LoadBalancer", loadBalancerClass: "example.com/other", ports }));
  expect(foreign.resources).toEqual({});
});
