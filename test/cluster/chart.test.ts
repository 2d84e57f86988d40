/** The chart: the same objects as the kustomizations, and what its values change of them. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, inject, test } from "vitest";
import type { KubeObject } from "./api.ts";
import { helm } from "./kubectl.ts";
import { byHelm, byKustomize, chart, type Objects, template, type Values } from "./rendered.ts";

const facts = inject("field");
const addresses = ["203.0.113.10"];
const defaults: Values = { balancers: [{ name: "openresty", classes: ["entrance"], addresses }] };

/** What kustomize has besides: namespaces, which helm's users make before. What the chart has besides: settings. */
function compare(chart: Objects, kustomizations: Objects): void {
  const rendered = new Map(chart);
  rendered.delete("ConfigMap entrance/entrance-settings");
  const deployment = structuredClone(rendered.get("Deployment entrance/entrance"));
  if (deployment !== undefined) {
    delete podOf(deployment).metadata.annotations;
    rendered.set("Deployment entrance/entrance", deployment);
  }
  const wanted = new Map([...kustomizations].filter(([, { kind }]) => kind !== "Namespace"));
  expect([...rendered.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [key, object] of wanted) expect(rendered.get(key), key).toEqual(object);
}

interface Pod {
  metadata: { annotations?: unknown };
  spec: { containers: { image: string; env: { name: string; value?: string }[]; resources: unknown }[] };
}

function podOf(object: KubeObject | undefined): Pod {
  const { template } = (object?.["spec"] ?? {}) as { template?: Pod };
  if (template === undefined) throw new Error("it has no pods");
  return template;
}

function settingsOf(objects: Objects): Readonly<Record<string, string>> {
  return objects.get("ConfigMap entrance/entrance-settings")?.["data"] as Record<string, string>;
}

test("by default it is what the kustomizations are", async () => {
  const rendered = await byHelm(facts, defaults);
  compare(rendered, await byKustomize(facts, [".", "node", "etcd"]));
  const lines = readFileSync(path.join(chart, "settings.env"), "utf8").trim().split("\n");
  const pairs = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  const { ENTRANCE_BALANCERS: balancers = "", ...others } = Object.fromEntries(pairs);
  const { ENTRANCE_BALANCERS: own = "", ...settings } = settingsOf(rendered);
  expect(settings).toEqual(others);
  expect(JSON.parse(own)).toEqual(JSON.parse(balancers));
});

test("with cert-manager, too", async () => {
  const rendered = await byHelm(facts, { ...defaults, certManager: { enabled: true } });
  compare(rendered, await byKustomize(facts, [".", "node", "etcd"], ["cert-manager", "node/cert-manager"]));
  expect(rendered.has("Secret entrance/entrance-certificate")).toBe(false);
});

test("an issuer of one's own signs, and then there is no authority of the chart's", async () => {
  const issuer = { kind: "ClusterIssuer", name: "company" };
  const rendered = await byHelm(facts, { certManager: { enabled: true, issuer } });
  const issued = [...rendered].filter(([, { apiVersion }]) => apiVersion === "cert-manager.io/v1");
  expect(issued.map(([key]) => key).sort()).toEqual([
    "Certificate entrance-nodes/entrance-node",
    "Certificate entrance/entrance",
  ]);
  for (const [, { spec }] of issued) expect(spec).toMatchObject({ issuerRef: issuer });
});

test("in other namespaces nothing names those of the kustomizations", async () => {
  const { code, out } = await template(facts, { nodes: { namespace: "edge-nodes" } }, "edge");
  expect(code).toBe(0);
  const places = out.match(/\b(?:namespace: \S+|\S*\.svc\b|kube-system.*)/g) ?? [];
  expect(places.filter((place) => /(?:namespace: |\.)entrance(?:-nodes)?(?:\.svc)?$/.test(place))).toEqual([]);
  expect(out).toContain("https://entrance.edge.svc/resync");
  expect(out).toContain("edge-nodes/entrance-node:admin");
  expect(out).toMatch(/values:\s*(?:- kube-system\s+- edge|\[kube-system, edge\])\n/);
});

test("values change what they say", async () => {
  const rendered = await byHelm(facts, {
    image: "registry.example/entrance:1.2",
    replicas: 5,
    resources: { requests: { cpu: "1" } },
    generation: 7,
    settings: { ENTRANCE_HTTP_SUFFIX: "apps.example" },
    balancers: [
      { name: "edge", classes: ["edge", "edge-too"], nodes: ["https://10.0.0.5:10002"], addresses },
      { name: "inner", classes: ["inner"], service: "lb/nodes:admin" },
    ],
    defaultIngressClass: "edge",
    store: { type: "dynamodb", dynamodb: { table: "edge", region: "eu-central-1" } },
    nodes: { install: false },
    secrets: { everywhere: false, namespaces: ["shop"] },
    serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/entrance" } },
  });
  expect(rendered.get("Deployment entrance/entrance")?.["spec"]).toMatchObject({ replicas: 5 });
  const [container] = podOf(rendered.get("Deployment entrance/entrance")).spec.containers;
  expect(container).toMatchObject({ image: "registry.example/entrance:1.2", resources: { requests: { cpu: "1" } } });
  const { ENTRANCE_BALANCERS: balancers = "", ...settings } = settingsOf(rendered);
  expect(settings).toEqual({
    ENTRANCE_STORE: "dynamodb",
    ENTRANCE_DYNAMODB_TABLE: "edge",
    AWS_REGION: "eu-central-1",
    ENTRANCE_GENERATION: "7",
    ENTRANCE_HTTP_SUFFIX: "apps.example",
  });
  expect(JSON.parse(balancers)).toMatchObject([{ nodes: ["https://10.0.0.5:10002"] }, { service: "lb/nodes:admin" }]);
  const classes = [...rendered.values()].filter(({ kind }) => kind === "IngressClass");
  expect(classes.map(({ metadata, spec }) => [metadata.name, (spec as { controller: string }).controller])).toEqual([
    ["edge", "entrance.dev/edge"],
    ["edge-too", "entrance.dev/edge"],
    ["inner", "entrance.dev/inner"],
  ]);
  expect(rendered.get("IngressClass edge")?.metadata.annotations).toEqual({
    "ingressclass.kubernetes.io/is-default-class": "true",
  });
  expect(rendered.has("RoleBinding shop/entrance-secrets")).toBe(true);
  expect(rendered.has("ClusterRoleBinding entrance-secrets")).toBe(false);
  const kinds = new Set([...rendered.values()].map(({ kind }) => kind));
  expect(kinds).not.toContain("StatefulSet");
  expect(kinds).not.toContain("DaemonSet");
});

test("where pods have IPv6 addresses etcd listens on them in brackets, as a URL needs it", async () => {
  const hostOf = async (values: Values) => {
    const rendered = await byHelm(facts, values);
    const [container] = podOf(rendered.get("StatefulSet entrance/entrance-etcd")).spec.containers;
    return container?.env.find(({ name }) => name === "LISTEN_HOST")?.value;
  };
  expect(await hostOf(defaults)).toBe("$(POD_IP)");
  expect(await hostOf({ ...defaults, store: { etcd: { ipv6: true } } })).toBe("[$(POD_IP)]");
});

test.each<[Values, RegExp]>([
  [{ replicas: "three" }, /replicas.*want integer/],
  [{ replica: 3 }, /additional properties 'replica' not allowed/],
  [{ store: { type: "embedded" } }, /store\/type.*'etcd', 'dynamodb'/],
  [{ store: { etcd: { install: false } } }, /store\.etcd\.endpoints: name your etcd's members/],
  [{ nodes: { install: false } }, /balancers: openresty has no nodes: give it a list/],
  [{ balancers: [] }, /balancers.*minItems/],
  [{ balancers: [{ name: "a", nodes: ["http://user:pw@10.0.0.5:10002"] }] }, /nodes\/0.*does not match pattern/],
  [
    { settings: { ENTRANCE_SEAL_KEY: "a-key-that-does-not-belong-here" } },
    /settings: ENTRANCE_SEAL_KEY is a secret: put it into the Secret entrance-keys/,
  ],
  [
    { settings: { ENTRANCE_OPERATOR_TOKEN: "a-key-that-does-not-belong-here" } },
    /settings: ENTRANCE_OPERATOR_TOKEN is a secret: put it into the Secret entrance-keys/,
  ],
  [{ settings: { PATH: "/tmp" } }, /invalid propertyName 'PATH'/],
  [{ settings: { ENTRANCE_LISTEN: "0.0.0.0:80" } }, /settings: ENTRANCE_LISTEN is said by the chart itself/],
  [{ nodes: { settings: { ENTRANCE_NODE_KEY: "a-key-that-does-not-belong-here" } } }, /ENTRANCE_NODE_KEY is a secret/],
  [{ nodes: { namespace: "Not A Name" } }, /nodes\/namespace.*does not match pattern/],
  [{ image: "entrance: [", generation: -1 }, /generation.*minimum/],
  [{ certManager: { enabled: "sometimes" } }, /certManager\/enabled.*want boolean/],
])("wrong values are refused with what is wrong: %j", async (values, sentence) => {
  const { code, err } = await template(facts, values);
  expect(code).not.toBe(0);
  expect(err).toMatch(sentence);
  expect(err).not.toContain("a-key-that-does-not-belong-here");
});

test("packed, it has all that it reads", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "chart-"));
  expect(await helm(facts, ["package", chart, "--destination", folder])).toMatchObject({ code: 0 });
  const [file = ""] = readdirSync(folder);
  const render = (of: string) =>
    helm(facts, ["template", "entrance", of, "--namespace", "entrance", "--set", "certManager.enabled=true"]);
  const packed = await render(path.join(folder, file));
  expect(packed).toMatchObject({ code: 0, out: (await render(chart)).out });
});

test("helm finds nothing to mend", async () => {
  const { code, out } = await helm(facts, ["lint", "--strict", chart]);
  expect(code, out).toBe(0);
});
