/** The captured shop/web yields exactly the keys and values that ARCHITECTURE.md prints, one of each kind. */
import { expect, test } from "vitest";
import { referenceKey } from "../../shared/model/reference.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import { decodeEventList } from "../../shared/observe/audit-event.ts";
import { captured } from "../observe/capture.ts";
import { drive, driveContest, user } from "./drive.ts";

/** Each object of the capture in the last shape that it was seen in up to this request. */
function seenUpTo(request: number): Map<string, SeenObject> {
  const seen = new Map<string, SeenObject>();
  for (const { body, path } of captured.slice(0, request)) {
    if (!path.startsWith("/audit")) continue;
    const decoded = decodeEventList(body, { prefix: "entrance.dev" });
    for (const observation of decoded.ok ? decoded.observations : []) {
      if (observation.type === "object") seen.set(referenceKey(observation.reference), observation.object);
    }
  }
  return seen;
}

function get(seen: ReadonlyMap<string, SeenObject>, key: string): SeenObject {
  const object = seen.get(key);
  if (object === undefined) throw new Error(`${key} is not in the capture`);
  return object;
}

const seen = seenUpTo(113);
const web = get(seen, "Service/shop/web");

const pool = { protocol: "http", balance: "round-robin", alias: "shop@web_8080.Pool" };
const rule = (domain: string) => ({
  domain,
  scheme: "http",
  owner: { kind: "Service", namespace: "shop", name: "web", created: "2026-11-22T10:21:37Z" },
  tenant: "shop",
  listeners: [],
  matches: { path: { type: "prefix", value: "/" } },
  filters: [],
  pools: [{ pool: "Pool/shop/web/80", weight: 1 }],
});

test("the Service's pool and rules", () => {
  const { resources, problems, failed } = drive(web);
  expect(resources).toEqual({
    openresty: {
      "Pool/shop/web/80": pool,
      "Rule/www.shop.example/Service/shop/web/0": rule("www.shop.example"),
      "Rule/shop.example/Service/shop/web/0": rule("shop.example"),
    },
  });
  expect({ problems, failed }).toEqual({ problems: [], failed: false });
});

test("the slice's members", () => {
  const slice = get(seenUpTo(116), "EndpointSlice/shop/web-kz5mh");
  const world = { objects: [web], pools: { "Service/shop/web": { openresty: [80] } } };
  const member = (address: string) => ({ address, port: 8080, weight: 1, state: "active", ready: true });
  expect(drive(slice, world).resources).toEqual({
    openresty: { "Node/shop/web/80/web-kz5mh": { members: [member("10.10.0.12"), member("10.10.0.13")] } },
  });
});

test("the domain, with the certificate that an Ingress of the same tenant brings", () => {
  const ofService = drive(web).claimed["Domain//www.shop.example"];
  const ofIngress = drive(get(seen, "Ingress/shop/web"), { objects: [web] }).claimed["Domain//secure.shop.example"];
  if (ofService === undefined || ofIngress === undefined) throw new Error("no claims");
  const claims = [
    { user: user("Ingress", "shop", "web"), claim: ofIngress },
    { user: user("Service", "shop", "web"), claim: ofService },
  ];
  expect(driveContest({ kind: "Domain", namespace: "", name: "www.shop.example" }, claims).resources).toEqual({
    openresty: { "Domain/www.shop.example": { tenant: "shop", certificates: ["Certificate/shop/shop-tls"] } },
  });
});

test("the listener of a Service with an annotation of ours", () => {
  const db = { ...get(seen, "Service/shop/db"), annotations: { tcp: "33061:3306" } };
  if (db.kind !== "Service") throw new Error("no Service");
  const driven = drive(db);
  const claim = driven.claimed["Port/openresty/tcp%3A33061"];
  if (claim === undefined) throw new Error("no claim");
  expect(driven.resources).toEqual({
    openresty: {
      "Pool/shop/db/3306": { protocol: "tcp", balance: "round-robin", alias: "shop@db_3306.Pool" },
    },
  });
  const contest = driveContest({ kind: "Port", namespace: "openresty", name: "tcp:33061" }, [
    { user: user("Service", "shop", "db"), claim },
  ]);
  expect(contest.resources).toEqual({
    openresty: {
      "VirtualService/tcp/33061": {
        port: 33061,
        protocol: "tcp",
        addresses: [],
        pool: "Pool/shop/db/3306",
        enabled: true,
      },
    },
  });
});

test("the captured Ingress", () => {
  const { resources, problems } = drive(get(seen, "Ingress/shop/web"), { objects: [web] });
  expect(resources).toEqual({
    openresty: {
      "Rule/secure.shop.example/Ingress/shop/web/0": {
        ...rule("secure.shop.example"),
        scheme: "httptohttps",
        owner: { kind: "Ingress", namespace: "shop", name: "web", created: "2026-11-22T10:21:37Z" },
      },
    },
  });
  const sentence = "Secret shop/shop-tls is not known yet: its certificate is used once it is";
  expect(problems).toEqual([{ sentence, deny: false }]);
});
