/** Whatever decode can produce can be translated: it never throws, and every value is one that a node can parse. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSent } from "../../shared/model/observation.ts";
import { referenceKey } from "../../shared/model/reference.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import { decodeReview } from "../../shared/observe/review.ts";
import { mutated } from "../observe/mutation.ts";
import {
  ingress,
  ingressClass,
  type Json,
  namespace,
  observeSettings,
  path,
  review,
  service,
  slice,
} from "../observe/wire.ts";
import { drive, driveContest, settings, user, type World } from "./drive.ts";

const labels = [
  { tenant_name: "t", protocol: "http", domain: "www.a.example___8080.b.example", origin_port: "5001" },
  { protocol: "stream", lbmap_port: "33061" },
  { protocol: "udp", lbmap_port: "0" },
];
const word = fc.constantFrom(
  "a.example",
  "*.b.example",
  "*",
  "80",
  "http",
  "99999",
  "/x",
  "=",
  ":",
  ",",
  " ",
  "___",
  "é",
  "",
);
const words = fc.array(word, { maxLength: 8 }).map((list) => list.join(""));
const annotations = fc.dictionary(
  fc
    .constantFrom(
      "http",
      "https",
      "tcp",
      "udp",
      "tls-passthrough",
      "backend-protocol",
      "backend-tls-ca",
      "balance",
      "class",
      "certificate",
      "redirect-https",
      "domains",
      "canary",
      "mirror",
      "use-regex",
      "rewrite-target",
    )
    .map((name) => `entrance.dev/${name}`),
  words,
);

const wires: readonly [string, Json][] = [
  ...labels.map((each): [string, Json] => ["Service", service({ labels: each }, { selector: { name: "gr1a" } })]),
  ["Service", service({}, { type: "ExternalName", ports: null })],
  [
    "Service",
    service(
      {},
      {
        ports: [
          { port: 53, protocol: "UDP", name: "u" },
          { port: 53, name: "t", targetPort: "x" },
        ],
      },
    ),
  ],
  ["EndpointSlice", slice()],
  ["Ingress", ingress({ defaultBackend: { service: { name: "rest", port: { name: "http" } } }, tls: [{ hosts: [] }] })],
  ["Ingress", ingress({ ingressClassName: undefined, rules: [{ http: { paths: [path("/a", "Exact"), path("")] } }] })],
  ["IngressClass", ingressClass({}, { "ingressclass.kubernetes.io/is-default-class": "true" })],
  ["Namespace", namespace()],
];

/** What a review of a mutated object lets through. */
const seen: fc.Arbitrary<SeenObject | undefined> = fc
  .tuple(fc.constantFrom(...wires), annotations, fc.boolean())
  .chain(([[kind, wire], own, whole]) => {
    const metadata = { ...(typeof wire["metadata"] === "object" ? wire["metadata"] : {}), annotations: own };
    const object = { ...wire, metadata };
    return (whole ? fc.constant<unknown>(object) : mutated([object])).map((each) => {
      const decoded = decodeReview(review("CREATE", kind, { object: each }), observeSettings);
      const observation = decoded.ok && decoded.subject.type === "observed" ? decoded.subject.observation : undefined;
      if (observation === undefined || isSent(observation)) return undefined;
      return observation.type === "object" ? observation.object : undefined;
    });
  });

const holders = {
  domain: { type: "domain", tenant: "other" },
  class: { type: "class", balancer: "edge", by: "x" },
} as const;

const world: fc.Arbitrary<World> = fc
  .tuple(
    fc.array(seen, { maxLength: 3 }),
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom(undefined, "apps.example", "-.x"),
  )
  .map(([objects, isHeld, isUsed, httpSuffix]) => ({
    objects: objects.flatMap((object) => (object === undefined ? [] : [object])),
    claims: isUsed
      ? [
          {
            user: user("Ingress", "shop", "web"),
            claim: { type: "pool", uses: [{ balancer: "openresty", port: 80 }] },
          },
          { user: user("Ingress", "shop", "x"), claim: { type: "pool", uses: [{ balancer: "edge", port: "u" }] } },
        ]
      : [],
    holdings: { "DefaultClass//": holders.class, ...(isHeld ? { "Domain//a.example": holders.domain } : {}) },
    pools: { "Service/shop/web": { openresty: [80, 53], edge: [53] } },
    settings: {
      ...settings,
      balancers: [...settings.balancers, { name: "edge", classes: [] }],
      ...(httpSuffix === undefined ? {} : { httpSuffix }),
    },
  }));

test("every seen object", () => {
  let translated = 0;
  fc.assert(
    fc.property(seen, world, (object, around) => {
      if (object === undefined) return;
      translated += 1;
      const driven = drive(object, around);
      expect(drive(object, around)).toEqual(driven);
      for (const { sentence } of driven.problems) expect(sentence).toMatch(/^[\x20-\x7e]{1,600}$/);
      if (driven.problems.some(({ deny }) => deny) && driven.reads.every((key) => !key.startsWith("Domain/"))) {
        expect(Object.keys(driven.resources["openresty"] ?? {}).filter((key) => key.startsWith("Rule/"))).toEqual([]);
      }
    }),
    { numRuns: 3_000 },
  );
  expect(translated).toBeGreaterThan(1_000);
});

test("every claim that is made can be judged, and its contest has one holder", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(seen, fc.nat({ max: 3 })), { maxLength: 6 }), world, (objects, around) => {
      const claims = objects.flatMap(([object, number]) => {
        if (object === undefined) return [];
        const claimed = Object.entries(drive(object, around).claimed);
        return claimed.flatMap(([of, claim]) =>
          /^(Service|Secret)\//.test(of) ? [] : [{ of, user: `${referenceKey(object)}${number}`, claim }],
        );
      });
      for (const of of new Set(claims.map((each) => each.of))) {
        const [kind, space = "", name = ""] = of.split("/").map(decodeURIComponent);
        if (kind !== "Domain" && kind !== "Port" && kind !== "DefaultClass") throw new Error(of);
        const own = claims.filter((each) => each.of === of);
        const contest = driveContest({ kind, namespace: space, name }, own);
        expect(contest.holding).toBeDefined();
        expect(driveContest({ kind, namespace: space, name }, own.toReversed(), contest.holding)).toEqual(contest);
      }
    }),
    { numRuns: 300 },
  );
});
