/** Contested names: host names, ports, the default class; and those who claim them without routing anything. */
import { describe, expect, test } from "vitest";
import type { Claim, ClaimOfUser } from "../../shared/translate/translation.ts";
import { drive, driveContest, driveSubject, user } from "./drive.ts";
import { created, ingressClass, namespace, service } from "./seen.ts";

const older = "2026-11-01T10:00:00Z";
const host = { kind: "Domain", namespace: "", name: "a.example" } as const;

function domain(name: string, more: Partial<Extract<Claim, { type: "domain" }>> = {}): ClaimOfUser {
  const claim = { type: "domain", tenant: name, created, reserved: false, balancers: ["openresty"], certificates: [] };
  return { user: user("Ingress", name, "web"), claim: { ...claim, ...more } as Claim };
}

describe("a host name", () => {
  const holder = (claims: readonly ClaimOfUser[], tenant?: string) =>
    driveContest(host, claims, tenant === undefined ? undefined : { type: "domain", tenant }).holding;

  test("nobody claims it", () => {
    expect(driveContest(host, [], { type: "domain", tenant: "a" })).toMatchObject({ resources: {}, problems: [] });
    expect(holder([], "a")).toBeUndefined();
  });

  test("goes to the oldest object, whatever the order of the claims", () => {
    const claims = [domain("a"), domain("b", { created: older })];
    expect(holder(claims)).toEqual({ type: "domain", tenant: "b" });
    expect(holder(claims.toReversed())).toEqual({ type: "domain", tenant: "b" });
  });

  test("of the same age: by namespace and name, not by kind", () => {
    const ofService = { ...domain("a"), user: user("Service", "a", "web") };
    expect(holder([domain("b"), ofService])).toEqual({ type: "domain", tenant: "a" });
  });

  test("goes to who has reserved it first", () => {
    const reserved = domain("b", { reserved: true, balancers: [] });
    expect(holder([domain("a", { created: older }), reserved])).toEqual({ type: "domain", tenant: "b" });
  });

  test("stays with its holder while any claim of its is left", () => {
    const claims = [domain("a", { created: older }), domain("b"), domain("c", { reserved: true })];
    expect(holder(claims, "b")).toEqual({ type: "domain", tenant: "b" });
    expect(holder(claims, "gone")).toEqual({ type: "domain", tenant: "c" });
  });

  test("is on each balancer where its holder routes it, with the certificates used there", () => {
    const claims = [
      domain("a", { balancers: ["openresty"], certificates: ["Certificate/a/z"] }),
      {
        ...domain("a", { balancers: ["openresty"], certificates: ["Certificate/a/b"] }),
        user: user("Service", "a", "x"),
      },
      { ...domain("a", { balancers: ["edge"] }), user: user("Service", "a", "y") },
      domain("b", { balancers: ["other"], certificates: ["Certificate/b/b"] }),
    ];
    expect(driveContest(host, claims).resources).toEqual({
      openresty: { "Domain/a.example": { tenant: "a", certificates: ["Certificate/a/b", "Certificate/a/z"] } },
      edge: { "Domain/a.example": { tenant: "a", certificates: [] } },
    });
  });

  test("that is only reserved is on none", () => {
    expect(driveContest(host, [domain("a", { reserved: true, balancers: [] })])).toMatchObject({
      resources: {},
      holding: { type: "domain", tenant: "a" },
    });
  });

  test("passes its connections through to the oldest of its holder's, and then they stay there", () => {
    const passing = (name: string, more: object) => ({
      ...domain("a", { passthrough: `Pool/a/${name}/443`, ...more }),
      user: user("Service", "a", name),
    });
    const claims = [
      domain("a", { certificates: ["Certificate/a/a"] }),
      passing("x", {}),
      passing("y", { created: older }),
      passing("z", { balancers: ["edge"] }),
      domain("b", { passthrough: "Pool/b/x/443", balancers: ["other"] }),
    ];
    const driven = driveContest(host, claims, { type: "domain", tenant: "a" });
    const [x, y, z] = ["x", "y", "z"].map((name) => user("Service", "a", name));
    expect(driven.resources).toEqual({
      openresty: {
        "Domain/a.example": { tenant: "a", certificates: ["Certificate/a/a"], passthrough: "Pool/a/y/443" },
      },
      edge: { "Domain/a.example": { tenant: "a", certificates: [], passthrough: "Pool/a/z/443" } },
    });
    const holding = (openresty = "") =>
      ({ type: "domain", tenant: "a", passthroughs: { openresty, edge: z ?? "" } }) as const;
    expect(driven.holding).toEqual(holding(y));
    expect(driveContest(host, claims, holding(x)).holding).toEqual(holding(x));
    expect(driveContest(host, claims, holding("Service/a/gone")).holding).toEqual(holding(y));
  });

  test("with too many certificates keeps the first", () => {
    const certificates = Array.from({ length: 20 }, (_, index) => `Certificate/a/${String(index).padStart(2, "0")}`);
    const { problems, resources } = driveContest(host, [domain("a", { certificates })]);
    expect(problems).toEqual([{ sentence: expect.stringMatching(/more than 16 certificates/), deny: false }]);
    expect(resources["openresty"]?.["Domain/a.example"]).toEqual({
      tenant: "a",
      certificates: certificates.slice(0, 16),
    });
  });
});

describe("a port", () => {
  const reference = { kind: "Port", namespace: "edge", name: "udp:5300" } as const;
  const claims: ClaimOfUser[] = [
    { user: user("Service", "a", "x"), claim: { type: "port", created, pool: "Pool/a/x/53" } },
    { user: user("Service", "b", "y"), claim: { type: "port", created: older, pool: "Pool/b/y/53" } },
  ];
  const listener = (pool: string) => ({
    edge: { "VirtualService/udp/5300": { port: 5300, protocol: "udp", addresses: [], pool, enabled: true } },
  });

  test("goes to the oldest object", () => {
    expect(driveContest(reference, claims)).toMatchObject({
      resources: listener("Pool/b/y/53"),
      holding: { type: "port", by: user("Service", "b", "y") },
    });
  });

  test("stays with its holder", () => {
    const holding = { type: "port", by: user("Service", "a", "x") } as const;
    expect(driveContest(reference, claims, holding)).toMatchObject({ resources: listener("Pool/a/x/53"), holding });
  });

  test("is closed when nobody claims it", () => {
    const { resources, holding } = driveContest(reference, [], { type: "port", by: "Service/a/x" });
    expect({ resources, holding }).toEqual({ resources: {}, holding: undefined });
  });

  test.each(["sctp:1", "tcp:0", "tcp:99999", "tcp", ""])("%j is none", (name) => {
    expect(driveContest({ ...reference, name }, claims).resources).toEqual({});
  });
});

describe("the default class", () => {
  const reference = { kind: "DefaultClass", namespace: "", name: "" } as const;
  const claims: ClaimOfUser[] = [
    { user: user("IngressClass", "", "a"), claim: { type: "class", created, balancer: "openresty" } },
    { user: user("IngressClass", "", "b"), claim: { type: "class", created: older, balancer: "edge" } },
  ];

  test("is the oldest one, and stays it", () => {
    const b = { type: "class", balancer: "edge", by: user("IngressClass", "", "b") } as const;
    const a = { type: "class", balancer: "openresty", by: user("IngressClass", "", "a") } as const;
    expect(driveContest(reference, claims).holding).toEqual(b);
    expect(driveContest(reference, claims, a).holding).toEqual(a);
    expect(driveContest(reference, []).holding).toBeUndefined();
  });

  test("is claimed by a class of ours that is marked so", () => {
    const claim = { type: "class", created, balancer: "openresty" };
    expect(drive(ingressClass({ isDefault: true })).claimed).toEqual({ "DefaultClass//": claim });
    const byName = ingressClass({ isDefault: true, name: "entrance", controller: "entrance.example.com/openresty" });
    expect(drive(byName).claimed).toEqual({ "DefaultClass//": claim });
    expect(drive(ingressClass()).reads).toEqual([]);
    expect(drive(ingressClass({ isDefault: true, controller: "k8s.io/ingress-nginx" })).reads).toEqual([]);
  });

  test("a second one is told", () => {
    const by = (name: string) => ({
      "DefaultClass//": { type: "class", balancer: "openresty", by: user("IngressClass", "", name) } as const,
    });
    const object = ingressClass({ isDefault: true });
    expect(drive(object, { holdings: by("edge") }).problems).toEqual([]);
    expect(drive(object, { holdings: by("other") }).problems).toEqual([
      { sentence: "another IngressClass is the default already: mark only one", deny: false },
    ]);
  });
});

describe("a Namespace", () => {
  const reserving = (domains: string, labels = {}) => namespace({ annotations: { domains }, labels });

  test("reserves names for its tenant", () => {
    const claim = { type: "domain", tenant: "shop", created, reserved: true, balancers: [], certificates: [] };
    expect(drive(reserving("A.example, *.b.example"))).toMatchObject({
      claimed: { "Domain//a.example": claim, "Domain//*.b.example": claim },
      resources: {},
      problems: [],
    });
    expect(drive(reserving("a.example", { tenant_name: "t" })).claimed).toMatchObject({
      "Domain//a.example": { tenant: "t" },
    });
    expect(drive(namespace()).reads).toEqual([]);
  });

  test("cannot reserve what another tenant holds, nor what is no name", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "other" } } as const;
    expect(drive(reserving("a.example"), { holdings }).problems).toEqual([
      { sentence: expect.stringMatching(/^a\.example is held by another tenant/), deny: true },
    ]);
    expect(drive(reserving("a b"))).toMatchObject({
      failed: true,
      reads: [],
      problems: [{ sentence: expect.stringMatching(/^annotation entrance\.dev\/domains: "a b"/), deny: true }],
    });
    const many = Array.from({ length: 257 }, (_, index) => `h${index}.example`).join(",");
    expect(drive(reserving(many))).toMatchObject({ failed: true, reads: [] });
  });
});

test("an object that is gone wants nothing", () => {
  for (const kind of ["Namespace", "IngressClass", "Service", "EndpointSlice", "Ingress"] as const) {
    const claims: ClaimOfUser[] = [
      { user: user("Ingress", "shop", "web"), claim: { type: "pool", uses: [{ balancer: "openresty", port: 80 }] } },
    ];
    const reference = { kind, namespace: "shop", name: "web" };
    expect(driveSubject({ reference, claims }, {})).toMatchObject({ resources: {}, reads: [], failed: false });
  }
});

test("a claim of the wrong sort is nobody's", () => {
  const claims = [{ user: user("Ingress", "shop", "web"), claim: { type: "pool", uses: [] } }] as const;
  expect(driveContest(host, claims).holding).toBeUndefined();
  expect(drive(service(), { claims: [domain("a")] }).resources).toEqual({});
});
