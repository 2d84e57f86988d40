/** What a developer reads at `kubectl apply`: what is wrong, and what to change. A dry run tells the same, and leaves nothing. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { type KubeObject, until } from "./api.ts";
import { ingress, namespace, service, tlsSecret, web } from "./objects.ts";
import { storeText } from "./store-text.ts";
import { World } from "./world.ts";

let world: World;
/** In the names of all that is never kept. */
const never = "never-kept";

beforeAll(async () => {
  world = await World.start();
  await world.apply(
    namespace("mine"),
    namespace("theirs"),
    namespace("bound", { tenant_name: "bound-tenant" }),
    reserving("theirs-too", "reserved.example"),
    web("mine", "web", 1),
    service("mine", "web"),
    service("theirs", "web"),
    service("mine", "ported", { annotations: { "entrance.dev/tcp": "33070:80" }, spec: { selector: { app: "web" } } }),
    service("mine", "passed", {
      annotations: { "entrance.dev/tls-passthrough": "passed.mine.example" },
      spec: { selector: { app: "web" } },
    }),
    tlsSecret("mine", "other-hosts", makeCertificate(["other.mine.example"])),
    ingress("mine", "web", "www.mine.example"),
    ingress("mine", "covered", "other.mine.example", {
      to: "web",
      spec: { tls: [{ hosts: ["other.mine.example"], secretName: "other-hosts" }] },
    }),
  );
  await world.answers("www.mine.example", 200);
  // What was written last is known by then.
  await until("all that they claim is held", async () => {
    const held = (await world.installed.status()).domains.map(({ name }) => name);
    return ["passed.mine.example", "other.mine.example", "reserved.example"].every((host) => held.includes(host));
  });
});

afterAll(async () => {
  await world?.stop();
});

function reserving(name: string, hosts: string): KubeObject {
  const made = namespace(name);
  return { ...made, metadata: { ...made.metadata, annotations: { "entrance.dev/domains": hosts } } };
}

/** A Service of `mine` with these annotations. */
const annotated = (annotations: Readonly<Record<string, string>>, within = "mine") =>
  service(within, never, { annotations: prefixed(annotations), spec: { selector: { app: "web" } } });
/** An Ingress of `mine` with these annotations. */
const routed = (annotations: Readonly<Record<string, string>>) =>
  ingress("mine", never, "new.mine.example", { annotations: prefixed(annotations), to: "web" });

function prefixed(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`entrance.dev/${name}`, value]));
}

const certified = (secretName: string) =>
  ingress("mine", never, "new.mine.example", {
    to: "web",
    spec: { tls: [{ hosts: ["new.mine.example"], secretName }] },
  });

let names = 0;

/** What one test leaves by mistake shall not make another one fail. */
function renamed(object: KubeObject): KubeObject {
  names += 1;
  return { ...object, metadata: { ...object.metadata, name: `${never}-${names}` } };
}

const refusals: Readonly<Record<string, readonly [object: () => KubeObject, sentence: RegExp]>> = {
  "a host of another tenant": [
    () => ingress("theirs", never, "www.mine.example", { to: "web" }),
    /www\.mine\.example is held by another tenant; choose another host/,
  ],
  "a host of another tenant, by a Service's annotation": [
    () => annotated({ http: "www.mine.example" }, "theirs"),
    /www\.mine\.example is held by another tenant; choose another host/,
  ],
  "a host of another tenant, passed through": [
    () => annotated({ "tls-passthrough": "www.mine.example" }, "theirs"),
    /www\.mine\.example is held by another tenant; choose another host/,
  ],
  "a host that another Namespace reserves": [
    () => ingress("mine", never, "reserved.example", { to: "web" }),
    /reserved\.example is held by another tenant; choose another host/,
  ],
  "another's port": [
    () => annotated({ tcp: "33070:80" }, "theirs"),
    /tcp port 33070 of balancer openresty is taken: choose a free one/,
  ],
  "another's port, by a LoadBalancer": [
    () =>
      service("theirs", never, {
        ports: [{ name: "main", port: 33_070, targetPort: 80 }],
        spec: { type: "LoadBalancer", loadBalancerClass: "entrance.dev/openresty" },
      }),
    /tcp port 33070 of balancer openresty is taken: choose a free one/,
  ],
  "TLS connections that go to another Service already": [
    () => annotated({ "tls-passthrough": "passed.mine.example" }),
    /TLS connections for passed\.mine\.example are passed through to another Service: keep one of them/,
  ],
  "a port that is none": [
    () => annotated({ tcp: "99999:80" }),
    /annotation entrance\.dev\/tcp: "99999:80": .*; write /,
  ],
  "a host that is none": [
    () => annotated({ http: "no_host!" }),
    /annotation entrance\.dev\/http: "no_host!": .*; write /,
  ],
  "a Rainbond label that can't be read": [
    () => {
      const made = annotated({});
      return { ...made, metadata: { ...made.metadata, labels: { protocol: "http", domain: "no..host" } } };
    },
    /label domain: "no\.\.host": .*; several are joined by ___/,
  ],
  "a filter that can't be read": [
    () => routed({ "rate-limit": "many" }),
    /annotation entrance\.dev\/rate-limit: "many": /,
  ],
  "a setting of a Service on an Ingress": [
    () => routed({ balance: "round-robin" }),
    /annotation entrance\.dev\/balance has no meaning on an Ingress: write it on the Service/,
  ],
  "a class that nobody serves": [
    () => routed({ class: "nobodys" }),
    /annotation entrance\.dev\/class: "nobodys" .*entrance/,
  ],
  "another namespace's certificate": [
    () => annotated({ https: "new.mine.example", certificate: "theirs/tls" }),
    /annotation entrance\.dev\/certificate: "theirs\/tls" is no name of a Secret of this namespace/,
  ],
  "another namespace's users": [
    () => routed({ "auth-secret": "theirs/users" }),
    /entrance\.dev\/auth-secret: "theirs\/users": /,
  ],
  "another namespace's authorities": [
    () => annotated({ "backend-protocol": "https", "backend-tls-ca": "theirs/ca" }),
    /entrance\.dev\/backend-tls-ca: "theirs\/ca": /,
  ],
  "another namespace's Service for a share": [
    () => routed({ canary: "theirs/web:80=10" }),
    /entrance\.dev\/canary: "theirs\/web:80=10": /,
  ],
  "another namespace's Service for copies": [
    () => routed({ mirror: "web.theirs:80" }),
    /entrance\.dev\/mirror: "web\.theirs:80": /,
  ],
  "a tenant that the Namespace is not of": [
    () => {
      const made = annotated({ http: "new.bound.example" }, "bound");
      return { ...made, metadata: { ...made.metadata, labels: { tenant_name: "mine" } } };
    },
    /label tenant_name: "mine": all of namespace bound belongs to tenant "bound-tenant"; write that, or leave the label out/,
  ],
  "names to reserve that are none": [
    () => reserving(never, "no host"),
    /entrance\.dev\/domains: "no host": .*; several are joined by commas/,
  ],
  "a key that does not fit its certificate": [
    () => tlsSecret("mine", never, { ...makeCertificate(["a.example"]), key: makeCertificate(["a.example"]).key }),
    /tls\.key is not the key of the first certificate in tls\.crt: send those that belong together/,
  ],
  "a certificate that can't be read": [
    () => tlsSecret("mine", never, { ...makeCertificate(["a.example"]), chain: "no certificate" }),
    /tls\.crt/,
  ],
  "a host that its certificate is not for": [
    () => certified("other-hosts"),
    /the certificate in Secret mine\/other-hosts is for other\.mine\.example and not for new\.mine\.example: name another Secret/,
  ],
};

test.each(Object.entries(refusals))("%s is refused, and a dry run tells the same", async (_, [make, sentence]) => {
  const object = renamed(make());
  const said = await world.kubectlApply(object);
  expect(said.code).not.toBe(0);
  expect(said.err).toMatch(/admission webhook "(objects|secrets)\.entrance\.dev" denied the request:/);
  expect(said.err).toMatch(sentence);
  expect(said.err).not.toContain("PRIVATE KEY");
  const dry = await world.kubectlApply(object, "--dry-run=server");
  expect(dry).toEqual(said);
  expect(await world.api.get(object)).toBeUndefined();
});

const warnings: Readonly<Record<string, readonly [object: () => KubeObject, sentence: RegExp]>> = {
  "TLS to members that nobody verifies": [
    () => annotated({ http: "new.mine.example", "backend-protocol": "https" }),
    /^Warning: .*verif/m,
  ],
  "a key that is too short": [
    () => tlsSecret("mine", never, makeCertificate(["a.example"], { key: "rsa:1024" })),
    /^Warning: the key has 1024 bits: browsers want at least 2048 of an RSA key/m,
  ],
  "a certificate that has expired": [
    () => tlsSecret("mine", never, makeCertificate(["a.example"], { until: "20210101000000Z" })),
    /^Warning: the certificate expired/m,
  ],
  "a Service that is not there": [
    () => ingress("mine", never, "new.mine.example", { to: "not-there" }),
    /^Warning: Service mine\/not-there does not exist yet/m,
  ],
  "a Secret that is not there": [() => certified("not-there"), /^Warning: Secret mine\/not-there is not known yet/m],
  "users that are not there": [
    () => routed({ "auth-secret": "not-there" }),
    /^Warning: Secret mine\/not-there is not known yet, so nobody can sign in/m,
  ],
};

test.each(Object.entries(warnings))(
  "%s: warned of, and a dry run tells the same and leaves nothing",
  async (_, [make, sentence]) => {
    const object = renamed(make());
    const dry = await world.kubectlApply(object, "--dry-run=server");
    expect(dry).toMatchObject({
      code: 0,
      err: expect.stringMatching(sentence),
      out: expect.stringContaining("(server dry run)"),
    });
    expect(await world.api.get(object)).toBeUndefined();
  },
);

test("nothing of what was refused or only tried is in the store, on the node or in the status", async () => {
  const fine = ingress("theirs", never, "dry.theirs.example", { to: "web" });
  expect(await world.kubectlApply(fine, "--dry-run=server")).toMatchObject({ code: 0, err: "" });
  const removed = await world.kubectl("-n", "mine", "delete", "ingress", "web", "--dry-run=server");
  expect(removed).toMatchObject({ code: 0 });
  // Whatever might follow a review has followed by the time that something real has.
  await world.apply(ingress("mine", "after", "after.mine.example", { to: "web" }));
  await world.answers("after.mine.example", 200);
  await world.answers("www.mine.example", 200);
  const kept = await storeText(world.facts);
  expect(kept).toContain("after.mine.example");
  for (const word of [never, "dry.theirs.example", "new.mine.example", "new.bound.example", "PRIVATE KEY"]) {
    expect(kept.includes(word) ? word : "").toBe("");
  }
  expect((await world.node.get("dry.theirs.example")).status).toBe(404);
  expect(JSON.stringify(await world.installed.status())).not.toContain(never);
});

test("what is warned of is taken, and what is only missing never refuses", async () => {
  const early = ingress("mine", "early", "early.mine.example", {
    to: "not-there-yet",
    spec: { tls: [{ hosts: ["early.mine.example"], secretName: "nor-this" }] },
  });
  const said = await world.kubectlApply(early);
  expect(said).toMatchObject({ code: 0, out: expect.stringContaining("created") });
  expect(said.err.match(/^Warning: /gm)?.length).toBeGreaterThanOrEqual(2);
});

test("a class that is not there yet, or is another's, is none of our business", async () => {
  for (const ingressClassName of ["not-there-yet", "nginx"]) {
    const foreign = ingress("theirs", `of-${ingressClassName}`, "www.mine.example", { spec: { ingressClassName } });
    expect(await world.kubectlApply(foreign)).toMatchObject({ code: 0, err: "" });
  }
});

test("a Secret of somebody else's business is not even asked about", async () => {
  const opaque = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "opaque", namespace: "mine" },
    stringData: { auth: "no such thing" },
  };
  expect(await world.kubectlApply(opaque)).toMatchObject({ code: 0, err: "" });
  const labelled = {
    ...opaque,
    metadata: { ...opaque.metadata, name: "labelled", labels: { "entrance.dev/secret": "" } },
  };
  expect((await world.kubectlApply(labelled)).err).toMatch(/^Warning: data\.auth, line 1: must be NAME:HASH/);
});

test("who changes something else is not refused for a fault that was there before", async () => {
  const webhooks = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "entrance" },
  };
  const kept = await world.api.get(webhooks);
  await world.api.delete(webhooks);
  const faulty = service("mine", "faulty", { annotations: { "entrance.dev/tcp": "99999:80" } });
  expect(await world.kubectlApply(faulty)).toMatchObject({ code: 0, err: "" });
  if (kept === undefined) throw new Error("there was no webhook");
  const { resourceVersion: _, uid: __, ...metadata } = kept.metadata;
  await world.api.create({ ...kept, metadata });
  const labelled = { ...faulty, metadata: { ...faulty.metadata, labels: { team: "one" } } };
  await until("reviews go on", async () =>
    /^Warning: .*99999/.test((await world.kubectlApply(labelled, "--dry-run=server")).err),
  );
  const said = await world.kubectlApply(labelled);
  expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/^Warning: .*99999/) });
});

test("by a name outside of the cluster nobody reaches another namespace's Service", async () => {
  const outside = service("theirs", "outside", {
    ports: [{ name: "main", port: 80 }],
    spec: { selector: null, type: "ExternalName", externalName: "web.mine.svc.cluster.local" },
  });
  await world.apply(outside);
  const route = ingress("theirs", "outside", "outside.theirs.example");
  const said = await world.kubectlApply(route);
  expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/^Warning: .*ExternalName/) });
  await world.answers("outside.theirs.example", 503);
});

test("endpoints that somebody writes count for a Service of the same namespace alone", async () => {
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-foreign", namespace: "theirs", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "main", port: 1, protocol: "TCP" }],
    endpoints: [{ addresses: ["10.10.255.1"], conditions: { ready: true } }],
  };
  await world.apply(slice, ingress("theirs", "own", "own.theirs.example", { to: "web" }));
  await world.answers("own.theirs.example", 502);
  const answers = await Promise.all(Array.from({ length: 20 }, () => world.node.get("www.mine.example")));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});
