/** What is kept of each kind: tolerant of what it does not know, strict about what translation reads. */
import { describe, expect, test } from "vitest";
import { trimEndpointSlice } from "../../shared/observe/endpoint-slice.ts";
import { trimIngress } from "../../shared/observe/ingress.ts";
import { trimIngressClass } from "../../shared/observe/ingress-class.ts";
import { trimNamespace } from "../../shared/observe/namespace.ts";
import { trimService } from "../../shared/observe/service.ts";
import { ingress, ingressClass, type Json, namespace, observeSettings, path, service, slice } from "./wire.ts";

const created = "2026-11-22T10:00:00Z";
const metadata = { namespace: "shop", created };

describe("Service", () => {
  const trim = (changes: Json = {}, spec: Json = {}) => trimService(service(changes, spec), observeSettings);

  test("keeps the labels and annotations that are read, and nothing else", () => {
    expect(
      trim({
        labels: { app: "web", tenant_name: "t", protocol: "http", domain: "a b", lbmap_port: "99999", event_id: "e" },
        annotations: {
          "entrance.dev/http": "a.example",
          "entrance.dev.example/http": "x",
          "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
      }),
    ).toEqual({
      ok: true,
      value: {
        kind: "Service",
        name: "web",
        ...metadata,
        type: "ClusterIP",
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }],
        labels: { tenant_name: "t", protocol: "http", domain: "a b", lbmap_port: "99999", event_id: "e" },
        annotations: { http: "a.example" },
      },
    });
  });

  test("fills in what the API leaves out", () => {
    const ports = [
      { port: 53, protocol: "UDP" },
      { port: 80, targetPort: 0, name: null, appProtocol: null },
    ];
    expect(trim({ labels: null, annotations: null }, { ports, type: undefined, selector: null })).toMatchObject({
      value: {
        type: "ClusterIP",
        ports: [
          { name: "", port: 53, protocol: "UDP" },
          { name: "", port: 80, protocol: "TCP" },
        ],
        labels: {},
        annotations: {},
      },
    });
    expect(trim({}, { ports: null })).toMatchObject({ value: { ports: [] } });
  });

  test("knows Rainbond's alias", () => {
    expect(trim({}, { selector: { name: "gr1a2b3c", app: "x" } })).toMatchObject({
      value: { selectorName: "gr1a2b3c" },
    });
    expect(trim({}, { selector: { app: "x" } })).not.toHaveProperty("value.selectorName");
  });

  test.each<[string, Json]>([
    ["a port that is a text", { ports: [{ port: "80" }] }],
    ["a protocol that there is not", { ports: [{ port: 80, protocol: "QUIC" }] }],
    ["a target below zero", { ports: [{ port: 80, targetPort: -1 }] }],
    ["a selector that is a list", { selector: "x" }],
  ])("refuses %s", (_, spec) => {
    expect(trim({}, spec).ok).toBe(false);
  });
});

describe("EndpointSlice", () => {
  test("nothing in it yet", () => {
    expect(trimEndpointSlice(slice({ endpoints: null, ports: null }))).toEqual({
      ok: true,
      value: {
        kind: "EndpointSlice",
        name: "web-a",
        ...metadata,
        service: "web",
        addressType: "IPv4",
        ports: [],
        endpoints: [],
      },
    });
  });

  test("conditions that are not told", () => {
    const addresses = ["10.1.0.1"];
    const endpoints = [
      { addresses },
      { addresses, conditions: null },
      { addresses, conditions: { ready: false } },
      { addresses, conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ["10.1.0.1", "10.1.0.2"], conditions: { ready: null, serving: false } },
    ];
    const address = "10.1.0.1";
    expect(trimEndpointSlice(slice({ endpoints }))).toMatchObject({
      value: {
        endpoints: [
          { address, ready: true, serving: true, terminating: false },
          { address, ready: true, serving: true, terminating: false },
          { address, ready: false, serving: false, terminating: false },
          { address, ready: false, serving: true, terminating: true },
          { address, ready: true, serving: false, terminating: false },
        ],
      },
    });
  });

  test("ports without a name, a number or a protocol", () => {
    const ports = [{ port: 8080 }, { name: "any", port: null }, { name: null, port: 53, protocol: "UDP" }];
    expect(trimEndpointSlice(slice({ ports }))).toMatchObject({
      value: {
        ports: [
          { name: "", port: 8080, protocol: "TCP" },
          { name: "", port: 53, protocol: "UDP" },
        ],
      },
    });
  });

  test("of names: kept without members", () => {
    const endpoints = [{ addresses: ["db.example"] }];
    expect(trimEndpointSlice(slice({ addressType: "FQDN", endpoints }))).toMatchObject({ value: { endpoints: [] } });
  });

  test("of no Service", () => {
    expect(
      trimEndpointSlice(slice({ metadata: { name: "x", namespace: "shop", creationTimestamp: created } })),
    ).not.toHaveProperty("value.service");
  });

  test.each<[string, Json]>([
    ["an endpoint without an address", { endpoints: [{ addresses: [] }] }],
    ["a name among addresses", { endpoints: [{ addresses: ["a.example"] }] }],
    ["a kind of address that there is not", { addressType: "IPX" }],
    ["more endpoints than the API allows", { endpoints: new Array(1_001).fill({ addresses: ["10.1.0.1"] }) }],
  ])("refuses %s", (_, changes) => {
    expect(trimEndpointSlice(slice(changes)).ok).toBe(false);
  });
});

describe("Ingress", () => {
  const trim = (spec: Json = {}, changes: Json = {}) => trimIngress(ingress(spec, changes), observeSettings);

  test("all of it", () => {
    const service = { name: "web", port: { name: "http" } };
    expect(
      trim(
        {
          defaultBackend: { service },
          tls: [{ hosts: ["WWW.Shop.Example"], secretName: "shop-tls" }, {}],
          rules: [
            { host: "*.Shop.Example", http: { paths: [path("/a", "Exact"), path("/b")] } },
            { http: { paths: [{ pathType: "ImplementationSpecific", backend: { service } }] } },
            { host: "empty.example" },
          ],
        },
        { labels: { app: "x", tenant_name: "t" }, annotations: { "entrance.dev/redirect-https": "false" } },
      ),
    ).toEqual({
      ok: true,
      value: {
        kind: "Ingress",
        name: "web",
        ...metadata,
        className: "entrance",
        defaultBackend: { service: "web", port: "http" },
        rules: [
          {
            host: "*.shop.example",
            paths: [
              { path: "/a", pathType: "Exact", backend: { service: "web", port: 80 } },
              { path: "/b", pathType: "Prefix", backend: { service: "web", port: 80 } },
            ],
          },
          {
            host: "",
            paths: [{ path: "", pathType: "ImplementationSpecific", backend: { service: "web", port: "http" } }],
          },
          { host: "empty.example", paths: [] },
        ],
        tls: [{ hosts: ["www.shop.example"], secretName: "shop-tls" }, { hosts: [] }],
        labels: { tenant_name: "t" },
        annotations: { "redirect-https": "false" },
      },
    });
  });

  test("the old annotation names the class where the field does not", () => {
    const annotations = { "kubernetes.io/ingress.class": "old" };
    expect(trim({}, { annotations })).toMatchObject({ value: { className: "entrance" } });
    expect(trim({ ingressClassName: null }, { annotations })).toMatchObject({ value: { className: "old" } });
    expect(trim({ ingressClassName: null })).not.toHaveProperty("value.className");
  });

  test("a resource as a backend", () => {
    const backend = { resource: { apiGroup: "x", kind: "Bucket", name: "b" } };
    expect(trim({ defaultBackend: backend, rules: null })).toMatchObject({
      value: { defaultBackend: { resource: "Bucket b" }, rules: [] },
    });
  });

  test.each<[string, Json]>([
    ["a host of every name", { rules: [{ host: "*" }] }],
    ["a wildcard within", { rules: [{ host: "a.*.example" }] }],
    ["an IP address", { rules: [{ host: "10.1.2.3" }] }],
    ["a TLS host with a space", { tls: [{ hosts: ["a b"] }] }],
    ["a Secret's name with a slash", { tls: [{ secretName: "a/b" }] }],
    ["a relative path", { rules: [{ http: { paths: [path("a")] } }] }],
    [
      "no type of path",
      { rules: [{ http: { paths: [{ backend: { service: { name: "a", port: { number: 1 } } } }] } }] },
    ],
    ["a backend without a port", { defaultBackend: { service: { name: "a", port: {} } } }],
    ["a backend with a port of 0", { defaultBackend: { service: { name: "a", port: { number: 0 } } } }],
    ["an empty backend", { defaultBackend: {} }],
    ["a Service's name that climbs", { defaultBackend: { service: { name: "../a", port: { number: 1 } } } }],
  ])("refuses %s", (_, spec) => {
    expect(trim(spec).ok).toBe(false);
  });
});

test("IngressClass", () => {
  const isDefault = { "ingressclass.kubernetes.io/is-default-class": "true" };
  const value = { kind: "IngressClass", name: "edge", namespace: "", created, controller: "entrance.dev/openresty" };
  expect(trimIngressClass(ingressClass({}, isDefault))).toEqual({ ok: true, value: { ...value, isDefault: true } });
  expect(trimIngressClass(ingressClass())).toEqual({ ok: true, value: { ...value, isDefault: false } });
  expect(trimIngressClass(ingressClass({ controller: null }))).toMatchObject({ value: { controller: "" } });
});

test("Namespace", () => {
  const changes = {
    labels: { tenant_name: "t", x: "y" },
    annotations: { "entrance.dev/domains": "a.example", x: "y" },
  };
  expect(trimNamespace(namespace(changes), observeSettings)).toEqual({
    ok: true,
    value: {
      kind: "Namespace",
      name: "shop",
      namespace: "",
      created,
      labels: { tenant_name: "t" },
      annotations: { domains: "a.example" },
    },
  });
});
