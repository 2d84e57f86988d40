/** Certificates where they are used, hosts that they must fit, and routes for those who sign in. */
import { describe, expect, test } from "vitest";
import type { Sealed } from "../../shared/model/sealed.ts";
import type { SeenSecret } from "../../shared/model/seen/secret.ts";
import type { TranslationSettings } from "../../shared/translate/translation.ts";
import { type Driven, drive, user, settings as usual, type World } from "./drive.ts";
import { created, ingress, port, service } from "./seen.ts";

const settings: TranslationSettings = { ...usual, sealKeys: ["0123456789abcdef"] };
const chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

function sealed(field: string, key = "0123456789abcdef"): Sealed {
  return { of: `Secret/shop/x/${field}`, print: "0".repeat(40), sealed: `${key}.AAAA.AAAA` };
}

function certificate(name: string, names: readonly string[], more: Partial<SeenSecret> = {}): SeenSecret {
  const times = { notBefore: "2026-01-01T00:00:00Z", notAfter: "2036-01-01T00:00:00Z" };
  const held = { chain, names, ...times, key: sealed("tls.key") };
  return { kind: "Secret", namespace: "shop", name, created, certificate: held, problems: [], ...more };
}

function users(name: string, ...names: readonly string[]): SeenSecret {
  const all = names.map((each) => ({ name: each, hash: sealed(`auth%2F${each}`) }));
  return { kind: "Secret", namespace: "shop", name, created, users: all, problems: [] };
}

const resourcesOf = ({ resources }: Driven) => resources["openresty"] ?? {};
const world = (more: World): World => ({ settings, ...more });
const uses = (...balancers: string[]) => [
  { user: user("Ingress", "shop", "web"), claim: { type: "certificate", balancers } as const },
];

describe("a Secret's certificate", () => {
  test("is on a balancer where somebody uses it", () => {
    const secret = certificate("web-tls", ["a.example"]);
    expect(resourcesOf(drive(secret, world({})))).toEqual({});
    expect(resourcesOf(drive(secret, world({ claims: uses("openresty") })))).toEqual({
      "Certificate/shop/web-tls": {
        chain,
        key: sealed("tls.key"),
        names: ["a.example"],
        notAfter: "2036-01-01T00:00:00Z",
      },
    });
    expect(drive(secret, world({ claims: uses("gone-from-the-settings") })).resources).toEqual({});
    expect(resourcesOf(drive(secret, world({ claims: uses() })))).toEqual({});
  });

  test("that cannot be used leaves what was good last where it is used, and says why", () => {
    const problems = [{ sentence: "tls.key is damaged", deny: true }];
    const { certificate: _, ...broken } = certificate("web-tls", [], { problems });
    expect(drive(broken, world({ claims: uses("openresty") }))).toMatchObject({
      failed: true,
      problems,
      resources: {},
    });
    expect(drive(broken, world({}))).toMatchObject({ failed: false, problems });
  });

  test("is no certificate while its key is not kept", () => {
    const { certificate: held } = certificate("web-tls", ["a.example"]);
    const { key: _, ...rest } = held ?? { key: undefined };
    const secret = certificate("web-tls", [], {
      certificate: { chain, names: [], notBefore: "", notAfter: "", ...rest },
    });
    expect(drive(secret, world({ claims: uses("openresty") })).resources).toEqual({});
  });
});

describe("an Ingress with TLS", () => {
  const tls = (secretName: string, ...hosts: string[]) => ({ hosts, secretName });
  const objects = [
    service(),
    certificate("a-tls", ["a.example"]),
    certificate("wild-tls", ["*.example"]),
    certificate("other-tls", ["other.example"]),
    certificate("none-tls", []),
    users("users", "ann"),
  ];
  const driven = (hosts: readonly string[], ...entries: ReturnType<typeof tls>[]) =>
    drive(ingress(hosts, { tls: entries }), world({ objects }));

  test("claims its certificates before its hosts", () => {
    const { reads, claimed, problems } = driven(["a.example"], tls("a-tls", "a.example"));
    expect(problems).toEqual([]);
    expect(claimed["Secret/shop/a-tls"]).toEqual({ type: "certificate", balancers: ["openresty"] });
    expect(reads.indexOf("Secret/shop/a-tls")).toBeLessThan(reads.indexOf("Domain//a.example"));
  });

  test("may name two for a host, of which one covers it", () => {
    const { problems, claimed } = driven(["a.example"], tls("a-tls", "a.example"), tls("wild-tls", "*.example"));
    expect(problems).toEqual([]);
    expect(claimed["Domain//a.example"]).toMatchObject({
      certificates: ["Certificate/shop/a-tls", "Certificate/shop/wild-tls"],
    });
    const half = driven(["a.example"], tls("a-tls", "a.example"), tls("other-tls", "a.example"));
    expect(half.problems).toEqual([
      { sentence: expect.stringMatching(/other-tls is for other\.example/), deny: false },
    ]);
  });

  test.each([
    [
      "other-tls",
      "a.example",
      /^the certificate in Secret shop\/other-tls is for other\.example and not for a\.example: /,
    ],
    ["wild-tls", "b.a.example", /is for \*\.example and not for b\.a\.example/],
    ["wild-tls", "example", /is for \*\.example and not for example/],
    ["a-tls", "*.a.example", /is for a\.example and not for \*\.a\.example/],
    ["none-tls", "a.example", /is for no host and not for a\.example/],
  ])("is refused where %s does not cover %s", (secretName, host, sentence) => {
    const { problems, failed } = driven([host], tls(secretName, host));
    expect(problems).toEqual([{ sentence: expect.stringMatching(sentence), deny: true }]);
    expect(failed).toBe(false);
  });

  test.each([
    ["a-tls", "a.example"],
    ["wild-tls", "b.example"],
    ["wild-tls", "*.example"],
  ])("%s covers %s", (secretName, host) => {
    expect(driven([host], tls(secretName, host)).problems).toEqual([]);
  });

  test.each([
    ["missing-tls", /Secret shop\/missing-tls is not known yet/],
    ["users", /Secret shop\/users has no certificate/],
  ])("is told, and not refused, of %s", (secretName, sentence) => {
    const { problems } = driven(["a.example"], tls(secretName, "a.example"), tls("other-tls", "a.example"));
    expect(problems).toContainEqual({ sentence: expect.stringMatching(sentence), deny: false });
    expect(problems.every(({ deny }) => !deny)).toBe(true);
  });

  test("gives the Domain of every host the default certificate, which need fit no name", () => {
    const entry = { hosts: [], secretName: "other-tls" };
    const asked = ingress([], { defaultBackend: { service: "web", port: 80 }, tls: [entry] });
    const { claimed, problems } = drive(asked, world({ objects }));
    expect(problems).toEqual([]);
    expect(claimed["Domain//*"]).toMatchObject({ certificates: ["Certificate/shop/other-tls"] });
  });

  test("takes back what it claimed for a host that somebody else holds", () => {
    const holdings = { "Domain//a.example": { type: "domain", tenant: "other" } as const };
    const entries = [tls("a-tls", "a.example"), tls("wild-tls", "b.example")];
    const { claimed } = drive(ingress(["a.example", "b.example"], { tls: entries }), world({ objects, holdings }));
    expect(claimed["Secret/shop/a-tls"]).toEqual({ type: "certificate", balancers: [] });
    expect(claimed["Secret/shop/wild-tls"]).toEqual({ type: "certificate", balancers: ["openresty"] });
  });
});

describe("a Service with https", () => {
  const asked = (annotations: Record<string, string>, labels = {}) =>
    drive(
      service({ annotations, labels, ports: [port(80)] }),
      world({ objects: [certificate("rsa-tls", ["a.example"]), certificate("ec-tls", ["*.example"])] }),
    );

  test("names its certificates by annotation, several joined by commas", () => {
    const { claimed, problems } = asked({ https: "a.example", certificate: "rsa-tls, ec-tls" });
    expect(problems).toEqual([]);
    expect(claimed["Domain//a.example"]).toMatchObject({
      certificates: ["Certificate/shop/ec-tls", "Certificate/shop/rsa-tls"],
    });
    expect(Object.keys(claimed)).toEqual(expect.arrayContaining(["Secret/shop/rsa-tls", "Secret/shop/ec-tls"]));
  });

  test("gives them to Rainbond's https, too, and not to its http", () => {
    const labels = { protocol: "https", domain: "a.example" };
    expect(asked({ certificate: "rsa-tls" }, labels).claimed["Domain//a.example"]).toMatchObject({
      certificates: ["Certificate/shop/rsa-tls"],
    });
    const { claimed } = asked({ certificate: "rsa-tls" }, { ...labels, protocol: "http" });
    expect(claimed["Domain//a.example"]).toMatchObject({ certificates: [] });
    expect(claimed["Secret/shop/rsa-tls"]).toBeUndefined();
  });

  test("is refused where they do not cover its host", () => {
    const { problems } = asked({ https: "a.elsewhere", certificate: "rsa-tls,ec-tls" });
    expect(problems).toEqual([
      { sentence: expect.stringMatching(/rsa-tls is for a\.example and not for a\.elsewhere/), deny: true },
      { sentence: expect.stringMatching(/ec-tls is for \*\.example and not for a\.elsewhere/), deny: true },
    ]);
  });

  test.each(["a,,b", "A", "other/tls", Array.from({ length: 17 }, (_, n) => `s${n}`).join()])("refuses %s", (text) => {
    const { problems, failed } = asked({ https: "a.example", certificate: text });
    expect(failed).toBe(true);
    expect(problems[0]).toEqual({
      sentence: expect.stringMatching(/^annotation entrance\.dev\/certificate: /),
      deny: true,
    });
  });
});

describe("who signs in", () => {
  const annotations = { "auth-secret": "users", "auth-realm": "The shop" };
  const ruleOf = (driven: Driven) =>
    Object.entries(resourcesOf(driven)).flatMap(([key, value]) => (key.startsWith("Rule/") ? [value] : []))[0];
  const filter = (names: readonly string[], realm?: string) => ({
    type: "BasicAuth",
    basicAuth: { ...(realm && { realm }), users: names.map((name) => ({ name, hash: sealed(`auth%2F${name}`) })) },
  });

  test("is whom the Secret names, on an Ingress and on a Service", () => {
    const objects = [service(), users("users", "ann", "bob")];
    for (const object of [
      ingress(["a.example"], { annotations }),
      service({ annotations: { ...annotations, http: "a.example" } }),
    ]) {
      const driven = drive(object, world({ objects }));
      expect(driven.problems).toEqual([]);
      expect(driven.reads).toContain("Secret/shop/users");
      expect(driven.claimed["Secret/shop/users"]).toBeUndefined();
      expect(ruleOf(driven)).toMatchObject({ filters: [filter(["ann", "bob"], "The shop")] });
      expect(ruleOf(driven)).toMatchObject({ pools: [{ pool: "Pool/shop/web/80" }] });
    }
  });

  test.each<[string, readonly SeenSecret[], RegExp]>([
    ["a Secret that is not there", [], /^Secret shop\/users is not known yet, so nobody can sign in: .*503$/],
    ["one without users", [users("users")], /^Secret shop\/users has no users: /],
    ["a certificate", [certificate("users", ["a.example"])], /^Secret shop\/users has no users: /],
  ])("is nobody by %s: the routes are closed, and not open", (_, secrets, sentence) => {
    const more = { "auth-secret": "users", mirror: "web:80", canary: "web:80=50" };
    const driven = drive(ingress(["a.example"], { annotations: more }), world({ objects: [service(), ...secrets] }));
    expect(driven.problems).toEqual([{ sentence: expect.stringMatching(sentence), deny: false }]);
    expect(ruleOf(driven)).toMatchObject({ pools: [], filters: [] });
  });

  test.each<[string, Record<string, string>]>([
    ["no name of a Secret", { "auth-secret": "other/users" }],
    ["a realm alone", { "auth-realm": "The shop" }],
    ["a realm with quotes", { "auth-secret": "users", "auth-realm": 'a "b"' }],
  ])("is refused: %s", (_, wrong) => {
    const { failed, problems } = drive(ingress(["a.example"], { annotations: wrong }), world({}));
    expect({ failed, deny: problems[0]?.deny }).toEqual({ failed: true, deny: true });
  });
});
