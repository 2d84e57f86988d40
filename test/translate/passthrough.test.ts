/** TLS passed through: what is claimed, whose connections they are, and what others are told. */
import { describe, expect, test } from "vitest";
import { drive, user } from "./drive.ts";
import { created, ingress, port, service } from "./seen.ts";

const ports = [port(80, { name: "http" }), port(443, { name: "tls" })];
const claim = { type: "domain", tenant: "shop", created, reserved: false, balancers: ["openresty"], certificates: [] };
const passing = (value: string, more: Record<string, string> = {}) =>
  service({ ports, annotations: { "tls-passthrough": value, ...more } });
const heldBy = (name: string, tenant = "shop") => ({
  holdings: {
    "Domain//a.example": { type: "domain", tenant, passthroughs: { openresty: user("Service", "shop", name) } },
  } as const,
});

test("a host is claimed together with the pool, which takes connections", () => {
  const { claimed, resources, problems } = drive(passing("A.example=tls, *.b.example"));
  expect(claimed).toEqual({
    "Domain//a.example": { ...claim, passthrough: "Pool/shop/web/443" },
    "Domain//*.b.example": { ...claim, passthrough: "Pool/shop/web/80" },
  });
  expect(resources).toMatchObject({
    openresty: { "Pool/shop/web/443": { protocol: "tcp" }, "Pool/shop/web/80": { protocol: "tcp" } },
  });
  expect(problems).toEqual([]);
});

test("http of the same host stands beside it, https can't be reached", () => {
  const { claimed, problems } = drive(
    passing("a.example=tls,b.example=tls", { http: "a.example", https: "b.example" }),
  );
  expect(claimed).toMatchObject({
    "Domain//a.example": { passthrough: "Pool/shop/web/443" },
    "Domain//b.example": { passthrough: "Pool/shop/web/443" },
  });
  const sentence =
    "TLS connections for b.example are passed through as they are, so its routes are not reached by https";
  expect(problems).toEqual([{ sentence, deny: false }]);
});

test("an Ingress whose host a Service passes through is told so", () => {
  const { problems } = drive(ingress(["a.example"], { tls: [{ hosts: [] }] }), {
    ...heldBy("db"),
    objects: [service()],
  });
  expect(problems).toEqual([{ sentence: expect.stringMatching(/^TLS connections for a\.example/), deny: false }]);
  expect(drive(ingress(["a.example"]), { ...heldBy("db"), objects: [service()] }).problems).toEqual([]);
});

describe("connections that others get", () => {
  test("another Service of the tenant", () => {
    const { resources, problems } = drive(passing("a.example=tls"), heldBy("db"));
    expect(resources).toEqual({});
    expect(problems).toEqual([{ sentence: expect.stringMatching(/another Service: keep one of them$/), deny: true }]);
    expect(drive(passing("a.example=tls"), heldBy("web")).problems).toEqual([]);
  });

  test("another tenant", () => {
    const { resources, problems } = drive(passing("a.example=tls"), heldBy("db", "other"));
    expect(resources).toEqual({});
    expect(problems).toEqual([{ sentence: expect.stringMatching(/held by another tenant/), deny: true }]);
  });
});

test("without a port that could serve", () => {
  const { claimed, problems } = drive(
    service({ type: "ExternalName", annotations: { "tls-passthrough": "a.example" } }),
  );
  expect(claimed).toEqual({ "Domain//a.example": claim });
  expect(problems).toEqual([{ sentence: expect.stringMatching(/is an ExternalName/), deny: false }]);
});

test.each<[string, RegExp]>([
  ["a b", /a host name consists of/],
  ["*", /connections without a name can't be told from others: name a host; write HOST\[=PORT\]/],
  ["a.example=9", /the Service has no TCP port "9"/],
  ["a.example=80=443", /more than one port/],
  ["a.example,a.example=443", /is named twice/],
  ["a.example:443", /a host name consists of/],
])("refuses %j", (value, sentence) => {
  expect(drive(passing(value))).toMatchObject({
    failed: true,
    problems: [{ sentence: expect.stringMatching(sentence), deny: true }],
  });
});
