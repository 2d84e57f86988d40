/** The least rights: what the roles allow is what Entrance does, by what the apiserver writes down of it. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { type KubeObject, until } from "./api.ts";
import { command } from "./command.ts";
import { kubectl } from "./kubectl.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { byKustomize, chart } from "./rendered.ts";
import { World } from "./world.ts";

const facts = inject("field");
const within = "rights";
const account = "system:serviceaccount:entrance:entrance";
const log = path.join(facts.folder, "rights.log");
let world: World;

beforeAll(async () => {
  await writeDown();
  for (const file of ["namespace.yaml", "certificate.yaml"]) {
    expect(await kubectl(facts, ["apply", "-f", path.join(chart, "node", file)])).toMatchObject({ code: 0 });
  }
  world = await World.start({
    ENTRANCE_NODE_TLS_SECRET: "entrance-nodes/entrance-node-certificate",
    ENTRANCE_NODE_SERVICE: "entrance-nodes/entrance-node",
  });
});

afterAll(async () => {
  await world?.stop();
  await kubectl(facts, ["delete", "ingressclass", within, "--ignore-not-found"]);
  await kubectl(facts, ["delete", "namespace", "entrance-nodes", within, "--ignore-not-found", "--timeout=90s"]);
  await command(facts.commands, { do: "restart-apiserver", audit: null });
});

interface Role extends KubeObject {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
  };
  readonly requestURI: string;
  readonly responseStatus?: { readonly code: number };
}

test("every right is used, nothing is asked that is not allowed, and no rule has a wildcard", async () => {
  const roles = [...(await byKustomize(facts, [".", "node"])).values()].filter(({ kind }) => /Role$/.test(kind ?? ""));
  const rules = (roles as unknown as readonly Role[]).flatMap((role) => role.rules);
  expect(rules.length).toBeGreaterThan(8);
  expect(JSON.stringify(rules)).not.toContain("*");
  const allowed = rules.flatMap(({ apiGroups, resources, resourceNames = [""], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${resource} ${name}`)),
      ),
    ),
  );
  const named = new Set(rules.flatMap(({ resourceNames = [] }) => resourceNames));

  await world.apply(namespace(within), web(within, "web", 1), service(within, "web"));
  const { chain, key } = makeCertificate(["www.rights.example"]);
  await world.apply(
    { ...secret("tls", { "tls.crt": chain, "tls.key": key }), type: "kubernetes.io/tls" },
    ingress(within, "web", "www.rights.example", {
      annotations: { "entrance.dev/redirect-https": "false" },
      spec: { tls: [{ hosts: ["www.rights.example"], secretName: "tls" }] },
    }),
    service(within, "public", {
      ports: [{ port: 33090, targetPort: "main" }],
      spec: { type: "LoadBalancer", loadBalancerClass: "entrance.dev/openresty", selector: { app: "web" } },
    }),
  );
  await world.answers("www.rights.example", 200);
  const ownClass = { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name: within } };
  await world.apply({ ...ownClass, spec: { controller: "entrance.dev/openresty" } });
  // Refused, once the webhook that would have said so is not asked.
  await withoutWebhooks(async () => {
    await world.apply(service(within, "odd", { annotations: { "entrance.dev/tcp": "99999:80" } }));
    await world.installed.resync();
  });
  await expect
    .poll(() => used(named), { timeout: 60_000, interval: 500 })
    .toEqual(expect.arrayContaining([...new Set(allowed)].sort()));
  expect(used(named).filter((right) => !allowed.includes(right))).toEqual([]);
  expect(eventsOf().filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
});

/** From now on all that Entrance's service account asks, and nothing else. */
async function writeDown(): Promise<void> {
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted"],
    rules: [{ level: "Metadata", users: [account] }, { level: "None" }],
  };
  // Nobody is there, and nobody has to be.
  const nowhere = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "none", cluster: { server: "http://127.0.0.1:9/" } }],
    contexts: [{ name: "none", context: { cluster: "none", user: "none" } }],
    users: [{ name: "none", user: {} }],
    "current-context": "none",
  };
  const [policyFile, webhookFile] = ["rights-policy.json", "rights-webhook.json"].map((name) =>
    path.join(facts.folder, name),
  ) as [string, string];
  writeFileSync(policyFile, JSON.stringify(policy));
  writeFileSync(webhookFile, JSON.stringify(nowhere));
  const more = [`--audit-log-path=${log}`, "--audit-log-mode=blocking"];
  await command(facts.commands, { do: "restart-apiserver", audit: { policyFile, webhookFile, more } });
}

function eventsOf(): AuditEvent[] {
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditEvent);
}

/** `VERB GROUP/RESOURCE NAME`, the name only where a rule is about names. */
function used(named: ReadonlySet<string>): string[] {
  const rights = eventsOf().map(({ verb, objectRef = {}, requestURI }) => {
    const { apiGroup = "", resource = requestURI, subresource, name = "" } = objectRef;
    const what = subresource === undefined ? resource : `${resource}/${subresource}`;
    return `${verb} ${apiGroup}/${what} ${named.has(name) && verb !== "list" ? name : ""}`;
  });
  return [...new Set(rights)].sort();
}

/** Their configurations away, and back as they were. */
async function withoutWebhooks(work: () => Promise<void>): Promise<void> {
  const objects: KubeObject[] = [];
  for (const name of ["entrance", "entrance-endpointslices"]) {
    const apiVersion = "admissionregistration.k8s.io/v1";
    const found = await world.api.get({ apiVersion, kind: "ValidatingWebhookConfiguration", metadata: { name } });
    if (found !== undefined) objects.push(found);
  }
  for (const object of objects) await world.api.delete(object);
  await work();
  for (const { apiVersion = "", kind = "", metadata, webhooks } of objects) {
    await world.api.create({ apiVersion, kind, metadata: { name: metadata.name }, webhooks });
  }
  await until("they are back", async () => world.api.get(objects[0] as KubeObject));
}

function secret(name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: within, name }, stringData };
}
