import { describe, expect, test } from "vitest";
import type { SeenEndpointSlice } from "../../shared/model/seen/endpoint-slice.ts";
import { drive, settings, type World } from "./drive.ts";
import { endpoint, port, service, slice } from "./seen.ts";

const world: World = { objects: [service()], pools: { "Service/shop/web": { openresty: [80] } } };
const key = "Node/shop/web/80/web-a";

function members(object: SeenEndpointSlice, of: World = world): unknown {
  const value = drive(object, of).resources["openresty"]?.[key];
  return typeof value === "object" && value !== null && "members" in value ? value.members : undefined;
}

const member = (address: string, more = {}) => ({
  address,
  port: 8080,
  weight: 1,
  state: "active",
  ready: true,
  ...more,
});

describe("members", () => {
  test.each([
    ["ready", {}, [member("10.1.0.1")]],
    ["not ready", { ready: false, serving: false }, [member("10.1.0.1", { ready: false })]],
    ["still serving", { ready: false, terminating: true }, [member("10.1.0.1", { ready: false, state: "draining" })]],
    [
      "published anyway while it ends",
      { terminating: true },
      [member("10.1.0.1", { ready: false, state: "draining" })],
    ],
    ["at its end", { ready: false, serving: false, terminating: true }, undefined],
  ])("%s", (_, conditions, expected) => {
    expect(members(slice([endpoint("10.1.0.1", conditions)]))).toEqual(expected);
  });

  test("a reshuffled slice is the same, and each address counts once", () => {
    const endpoints = [endpoint("10.1.0.2"), endpoint("10.1.0.10"), endpoint("10.1.0.2", { ready: false })];
    const expected = [member("10.1.0.10"), member("10.1.0.2")];
    expect(members(slice(endpoints))).toEqual(expected);
    expect(members(slice(endpoints.toReversed()))).toEqual(expected);
  });

  test("IPv6", () => {
    expect(members(slice([endpoint("fd00::1")], { addressType: "IPv6" }))).toEqual([member("fd00::1")]);
  });

  test("none: no list, which is an empty one", () => {
    expect(drive(slice([]), world)).toMatchObject({ resources: {}, problems: [], reads: ["Service/shop/web"] });
  });
});

describe("ports", () => {
  const ports = [port(80, { name: "http" }), port(9000, { name: "admin", targetPort: "adm" })];
  const of = (pools: readonly number[]): World => ({
    objects: [service({ ports })],
    pools: { "Service/shop/web": { openresty: pools } },
  });
  const twoPorts = slice([endpoint("10.1.0.1")], {
    ports: [
      { name: "admin", port: 9999, protocol: "TCP" },
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "other", port: 1, protocol: "TCP" },
    ],
  });

  test("are matched by name, for the pools that exist", () => {
    expect(drive(twoPorts, of([80, 9000])).resources).toEqual({
      openresty: {
        [key]: { members: [member("10.1.0.1")] },
        "Node/shop/web/9000/web-a": { members: [member("10.1.0.1", { port: 9999 })] },
      },
    });
    expect(Object.keys(drive(twoPorts, of([80])).resources["openresty"] ?? {})).toEqual([key]);
  });

  test("without a name", () => {
    const unnamed = slice([endpoint("10.1.0.1")], { ports: [{ name: "", port: 8080, protocol: "TCP" }] });
    const known = { ...world, objects: [service({ ports: [port(80)] })] };
    expect(members(unnamed, known)).toEqual([member("10.1.0.1")]);
    expect(members(unnamed)).toBeUndefined();
  });

  test("and by protocol: a name server's two ports are one pool", () => {
    const dns = [
      port(53, { name: "tcp", targetPort: 5353 }),
      port(53, { name: "udp", protocol: "UDP", targetPort: 5353 }),
    ];
    const both: SeenEndpointSlice["ports"] = [
      { name: "tcp", port: 5353, protocol: "TCP" },
      { name: "udp", port: 5353, protocol: "UDP" },
    ];
    const known = { objects: [service({ ports: dns })], pools: { "Service/shop/web": { openresty: [53] } } };
    const { resources } = drive(slice([endpoint("10.1.0.1")], { ports: both }), known);
    expect(resources["openresty"]).toEqual({
      "Node/shop/web/53/web-a": { members: [member("10.1.0.1", { port: 5353 })] },
    });
  });
});

test("on each balancer that has the pool", () => {
  const two = { ...settings, balancers: [...settings.balancers, { name: "edge", classes: [] }] };
  const pools = { "Service/shop/web": { edge: [80], gone: [80] } };
  expect(Object.keys(drive(slice([endpoint("10.1.0.1")]), { ...world, settings: two, pools }).resources)).toEqual([
    "edge",
  ]);
});

const { service: _, ...orphan } = slice([endpoint("10.1.0.1")]);

test.each<[string, SeenEndpointSlice, World, readonly string[]]>([
  ["of no Service", orphan, world, []],
  ["of a Service that is not there yet", slice([endpoint("10.1.0.1")]), {}, ["Service/shop/web"]],
  ["of a Service that nobody uses", slice([endpoint("10.1.0.1")]), { objects: [service()] }, ["Service/shop/web"]],
  ["of names", slice([], { addressType: "FQDN" }), world, ["Service/shop/web"]],
])("%s: nothing", (_, object, known, reads) => {
  expect(drive(object, known)).toMatchObject({ resources: {}, problems: [], failed: false, reads });
});
