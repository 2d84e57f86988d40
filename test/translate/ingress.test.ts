import { describe, expect, test } from "vitest";
import type { SeenIngress } from "../../shared/model/seen/ingress.ts";
import type { Translation } from "../../shared/translate/translation.ts";
import { drive, settings, user, type World } from "./drive.ts";
import { created, ingress, ingressClass, path, port, service } from "./seen.ts";

const withService: World = { objects: [service()] };

/** `Rule key → scheme, path type and value, pools`. */
function rules(translation: Translation, balancer = "openresty"): Record<string, string> {
  return Object.fromEntries(
    Object.entries(translation.resources[balancer] ?? {}).map(([key, value]) => [key, describeRule(value)]),
  );
}

function describeRule(value: unknown): string {
  const isRule =
    typeof value === "object" && value !== null && "scheme" in value && "matches" in value && "pools" in value;
  if (!isRule) return "no rule";
  const { path } = value.matches as { path: { type: string; value: string } };
  const pools = (value.pools as { pool: string }[]).map(({ pool }) => pool).join(" ");
  return `${value.scheme} ${path.type} ${path.value} → ${pools || "none"}`;
}

const web = "Pool/shop/web/80";
const withPaths = (...paths: ReturnType<typeof path>[]): SeenIngress =>
  ingress([], { rules: [{ host: "a.example", paths }] });

describe("paths", () => {
  test("each type, numbered by domain", () => {
    const object = ingress([], {
      rules: [
        { host: "a.example", paths: [path("/x", "Exact"), path("/y/"), path("/z", "ImplementationSpecific")] },
        { host: "b.example", paths: [path("", "ImplementationSpecific"), path("/")] },
        { host: "a.example", paths: [path("/again")] },
      ],
    });
    expect(rules(drive(object, withService))).toEqual({
      "Rule/a.example/Ingress/shop/web/0": `http exact /x → ${web}`,
      "Rule/a.example/Ingress/shop/web/1": `http prefix /y → ${web}`,
      "Rule/a.example/Ingress/shop/web/2": `http start /z → ${web}`,
      "Rule/a.example/Ingress/shop/web/3": `http prefix /again → ${web}`,
      "Rule/b.example/Ingress/shop/web/0": `http prefix / → ${web}`,
      "Rule/b.example/Ingress/shop/web/1": `http prefix / → ${web}`,
    });
  });

  test("without a host, and a wildcard", () => {
    const object = ingress(["", "*.a.example"]);
    expect(rules(drive(object, withService))).toEqual({
      "Rule/*/Ingress/shop/web/0": `http prefix / → ${web}`,
      "Rule/*.a.example/Ingress/shop/web/0": `http prefix / → ${web}`,
    });
  });

  test("too long a one is refused", () => {
    expect(drive(withPaths(path(`/${"x".repeat(4_096)}`)), withService)).toMatchObject({
      failed: true,
      reads: [],
      problems: [{ sentence: "a path has more than 4096 characters: shorten it", deny: true }],
    });
  });
});

describe("the default backend", () => {
  const defaultBackend = { service: "rest", port: 80 } as const;
  const objects = [service(), service({ name: "rest" })];
  const rest = "Pool/shop/rest/80";

  test("alone: every host", () => {
    const driven = drive(ingress([], { defaultBackend }), { objects });
    expect(rules(driven)).toEqual({ "Rule/*/Ingress/shop/web/0": `http prefix / → ${rest}` });
    expect(driven.claimed["Domain//*"]).toMatchObject({ type: "domain", tenant: "shop" });
  });

  test("beneath the paths of its own hosts, unless they have / themselves", () => {
    const object = ingress([], {
      defaultBackend,
      rules: [
        { host: "a.example", paths: [path("/a"), path("/", "Exact")] },
        { host: "b.example", paths: [path("/")] },
        { host: "c.example", paths: [] },
        { host: "", paths: [path("/start", "ImplementationSpecific")] },
      ],
    });
    expect(rules(drive(object, { objects }))).toEqual({
      "Rule/a.example/Ingress/shop/web/0": `http prefix /a → ${web}`,
      "Rule/a.example/Ingress/shop/web/1": `http exact / → ${web}`,
      "Rule/a.example/Ingress/shop/web/2": `http prefix / → ${rest}`,
      "Rule/b.example/Ingress/shop/web/0": `http prefix / → ${web}`,
      "Rule/c.example/Ingress/shop/web/0": `http prefix / → ${rest}`,
      "Rule/*/Ingress/shop/web/0": `http start /start → ${web}`,
      "Rule/*/Ingress/shop/web/1": `http prefix / → ${rest}`,
    });
  });

  test("a host without any path", () => {
    expect(drive(ingress([], { rules: [{ host: "a.example", paths: [] }] }), { objects })).toMatchObject({
      resources: {},
      reads: [],
      problems: [{ sentence: "host a.example has no path, and there is no default backend", deny: false }],
    });
  });
});

describe("TLS", () => {
  const tls = [
    { hosts: ["a.example", "*.b.example"], secretName: "one" },
    { hosts: ["x.b.example"], secretName: "two" },
    { hosts: ["plain.example"] },
  ];
  const hosts = ["a.example", "x.b.example", "*.b.example", "x.y.b.example", "plain.example", "none.example"];

  test("covered hosts redirect and bring certificates; a wildcard is one label", () => {
    const driven = drive(ingress(hosts, { tls }), withService);
    const scheme = (host: string) => rules(driven)[`Rule/${host}/Ingress/shop/web/0`]?.split(" ")[0];
    const certificates = (host: string) => {
      const claim = driven.claimed[`Domain//${host}`];
      return claim?.type === "domain" ? claim.certificates : undefined;
    };
    expect(Object.fromEntries(hosts.map((host) => [host, [scheme(host), certificates(host)]]))).toEqual({
      "a.example": ["httptohttps", ["Certificate/shop/one"]],
      "x.b.example": ["httptohttps", ["Certificate/shop/one", "Certificate/shop/two"]],
      "*.b.example": ["httptohttps", ["Certificate/shop/one"]],
      "x.y.b.example": ["http", []],
      "plain.example": ["httptohttps", []],
      "none.example": ["http", []],
    });
  });

  test("an entry without hosts covers all", () => {
    expect(rules(drive(ingress(["", "a.example"], { tls: [{ hosts: [] }] }), withService))).toEqual({
      "Rule/*/Ingress/shop/web/0": `httptohttps prefix / → ${web}`,
      "Rule/a.example/Ingress/shop/web/0": `httptohttps prefix / → ${web}`,
    });
  });

  test("the redirect can be turned off", () => {
    const annotations = { "redirect-https": "false" };
    expect(rules(drive(ingress(["a.example"], { tls, annotations }), withService))).toEqual({
      "Rule/a.example/Ingress/shop/web/0": `httpandhttps prefix / → ${web}`,
    });
    expect(drive(ingress(["a.example"], { annotations: { "redirect-https": "no" } }))).toMatchObject({ failed: true });
  });
});

describe("classes", () => {
  const { className, ...classless } = ingress(["a.example"]);
  const named = (name: string) => ({ ...classless, className: name });
  const leftAlone = { resources: {}, problems: [], failed: false, readsNamespace: false, claimed: {} };

  test("of a balancer: nothing else is asked", () => {
    expect(drive(named("entrance"), withService).reads).toEqual(["Domain//a.example", "Service/shop/web"]);
  });

  test("of an IngressClass whose controller is ours", () => {
    const world = { objects: [service(), ingressClass()] };
    const driven = drive(named("edge"), world);
    expect(driven.reads).toEqual(["IngressClass//edge", "Domain//a.example", "Service/shop/web"]);
    expect(Object.keys(rules(driven))).toHaveLength(1);
  });

  test.each([
    ["that is not there (yet)", []],
    ["of another controller", [ingressClass({ controller: "k8s.io/ingress-nginx" })]],
    ["of a balancer that there is not", [ingressClass({ controller: "entrance.dev/other" })]],
  ])("of an IngressClass %s: left alone", (_, objects) => {
    expect(drive(named("edge"), { objects })).toEqual({ ...leftAlone, reads: ["IngressClass//edge"] });
  });

  test("none, and no default of ours is known: left alone", () => {
    expect(drive(classless)).toEqual({ ...leftAlone, reads: ["DefaultClass//"] });
  });

  test("none, with a default of ours", () => {
    const by = user("IngressClass", "", "edge");
    const holdings = { "DefaultClass//": { type: "class", balancer: "openresty", by } } as const;
    expect(Object.keys(rules(drive(classless, { ...withService, holdings })))).toHaveLength(1);
    const gone = { "DefaultClass//": { type: "class", balancer: "gone", by } } as const;
    expect(drive(classless, { ...withService, holdings: gone })).toMatchObject(leftAlone);
  });

  test("the annotation comes first, and an unknown one is refused", () => {
    expect(drive({ ...named("nginx"), annotations: { class: "openresty" } }, withService).reads).toEqual([
      "Domain//a.example",
      "Service/shop/web",
    ]);
    expect(drive({ ...named("entrance"), annotations: { class: "nginx" } })).toMatchObject({
      failed: true,
      reads: [],
      problems: [{ sentence: expect.stringMatching(/^annotation entrance\.dev\/class: "nginx"/), deny: true }],
    });
  });

  test("of another controller it may be as it likes", () => {
    const annotations = { "redirect-https": "perhaps" };
    expect(drive({ ...named("nginx"), annotations })).toMatchObject(leftAlone);
  });
});

describe("backends", () => {
  test("one claim for each Service, with all its ports", () => {
    const ports = [port(80, { name: "http" }), port(9000, { name: "admin" })];
    const object = withPaths(
      path("/b", "Prefix", { service: "web", port: 9000 }),
      path("/a", "Prefix", { service: "web", port: "http" }),
      path("/c", "Prefix", { service: "web", port: 9000 }),
    );
    const driven = drive(object, { objects: [service({ ports })] });
    expect(rules(driven)).toEqual({
      "Rule/a.example/Ingress/shop/web/0": "http prefix /b → Pool/shop/web/9000",
      "Rule/a.example/Ingress/shop/web/1": `http prefix /a → ${web}`,
      "Rule/a.example/Ingress/shop/web/2": "http prefix /c → Pool/shop/web/9000",
    });
    expect(driven.claimed["Service/shop/web"]).toEqual({
      type: "pool",
      uses: [
        { balancer: "openresty", port: 9000 },
        { balancer: "openresty", port: "http" },
      ],
    });
  });

  test.each<[string, SeenIngress, World, string]>([
    ["a Service that is not there yet", ingress(["a.example"]), {}, "Service shop/web does not exist yet"],
    [
      "a port that it has not",
      withPaths(path("/", "Prefix", { service: "web", port: "grpc" })),
      withService,
      'Service shop/web has no TCP port "grpc"',
    ],
    [
      "a port by UDP",
      ingress(["a.example"]),
      { objects: [service({ ports: [port(80, { protocol: "UDP" })] })] },
      'Service shop/web has no TCP port "80"',
    ],
    [
      "an ExternalName",
      ingress(["a.example"]),
      { objects: [service({ type: "ExternalName" })] },
      "Service shop/web is an ExternalName, whose members are no addresses: it is not served",
    ],
    [
      "a resource",
      withPaths(path("/", "Prefix", { resource: "Bucket b" })),
      {},
      'a resource as a backend ("Bucket b") is not served; name a Service',
    ],
  ])("%s: the route is known, without a backend", (_, object, world, sentence) => {
    const driven = drive(object, world);
    expect(driven.problems).toEqual([{ sentence, deny: false }]);
    expect(rules(driven)).toEqual({ "Rule/a.example/Ingress/shop/web/0": "http prefix / → none" });
    expect(driven.failed).toBe(false);
  });

  test("a missing one is told once, however many paths lead to it", () => {
    expect(drive(withPaths(path("/a"), path("/b")), {}).problems).toHaveLength(1);
  });
});

describe("hosts", () => {
  test("are claimed for the tenant", () => {
    expect(drive(ingress(["a.example"], { labels: { tenant_name: "t" } }), withService).claimed).toEqual({
      "Domain//a.example": {
        type: "domain",
        tenant: "t",
        created,
        reserved: false,
        balancers: ["openresty"],
        certificates: [],
      },
      "Service/shop/web": { type: "pool", uses: [{ balancer: "openresty", port: 80 }] },
    });
  });

  test("of another tenant are refused; only what is routed uses a Service", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "other" } } as const;
    const lost = drive(ingress(["a.example"]), { ...withService, holdings });
    expect(lost).toMatchObject({ resources: {}, failed: false, reads: ["Domain//a.example"] });
    expect(lost.problems).toEqual([
      { sentence: expect.stringMatching(/^a\.example is held by another tenant/), deny: true },
    ]);
    expect(Object.keys(rules(drive(ingress(["a.example", "b.example"]), { ...withService, holdings })))).toEqual([
      "Rule/b.example/Ingress/shop/web/0",
    ]);
  });

  test("every other host can be held by another, too", () => {
    const holdings = { "Domain//*": { type: "domain", tenant: "other" } } as const;
    expect(drive(ingress([""]), { ...withService, holdings }).problems[0]?.sentence).toMatch(
      /^every other host \(\*\)/,
    );
  });

  test("too many", () => {
    const hosts = Array.from({ length: 257 }, (_, index) => `h${index}.example`);
    expect(drive(ingress(hosts))).toMatchObject({ failed: true, reads: [] });
    expect(drive(withPaths(...Array.from({ length: 1_001 }, (_, index) => path(`/${index}`))))).toMatchObject({
      failed: true,
      problems: [{ sentence: "it asks for 1001 routes, and one object may have 1000: split it", deny: true }],
    });
  });
});

test("another prefix", () => {
  const world = { settings: { ...settings, prefix: "lb.corp.example" }, objects: [service()] };
  const object = ingress(["a.example"], { annotations: { class: "nope" } });
  expect(drive(object, world).problems[0]?.sentence).toMatch(/^annotation lb\.corp\.example\/class/);
});
