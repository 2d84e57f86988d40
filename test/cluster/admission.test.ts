/** What a developer reads at `kubectl apply`: what is wrong, and what to change. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await World.start();
  await world.apply(
    namespace("mine"),
    namespace("theirs"),
    web("mine", "web", 1),
    service("mine", "web"),
    service("theirs", "web"),
  );
  await world.apply(ingress("mine", "web", "www.mine.example"));
  await world.answers("www.mine.example", 200);
});

afterAll(async () => {
  await world?.stop();
});

test("another tenant's host is refused, with a sentence that says what to change", async () => {
  const said = await world.kubectlApply(ingress("theirs", "web", "www.mine.example"));
  expect(said.code).not.toBe(0);
  expect(said.err).toContain('admission webhook "objects.entrance.dev" denied the request:');
  expect(said.err).toMatch(/www\.mine\.example is held by another tenant; choose another host/);
  expect(await world.api.get(ingress("theirs", "web", ""))).toBeUndefined();
});

test("a dry run tells the same, and leaves nothing behind", async () => {
  const refused = await world.kubectlApply(ingress("theirs", "web", "www.mine.example"), "--dry-run=server");
  expect(refused.code).not.toBe(0);
  expect(refused.err).toMatch(/www\.mine\.example is held by another tenant; choose another host/);

  const before = await world.installed.status();
  const fine = await world.kubectlApply(ingress("theirs", "web", "dry.theirs.example"), "--dry-run=server");
  expect(fine).toMatchObject({ code: 0, out: expect.stringContaining("(server dry run)") });
  // Whatever might follow a review has followed by the time that something real has.
  await world.apply(ingress("mine", "after", "after.mine.example", { to: "web" }));
  await world.answers("after.mine.example", 200);
  const after = await world.installed.status();
  expect((await world.node.get("dry.theirs.example")).status).toBe(404);
  const names = ({ domains }: typeof before) => domains.map(({ name }) => name);
  expect(names(after)).toEqual([...names(before), "after.mine.example"].sort());
});

test("another's port is refused", async () => {
  const ported = (within: string) =>
    service(within, "ported", { annotations: { "entrance.dev/tcp": "33070:80" }, spec: { selector: { app: "web" } } });
  expect(await world.kubectlApply(ported("mine"))).toMatchObject({ code: 0 });
  await expect
    .poll(async () => (await world.kubectlApply(ported("theirs"))).err)
    .toMatch(/tcp port 33070 .* is taken: choose a free one/);
});

test("an annotation that can't be read is refused", async () => {
  const said = await world.kubectlApply(service("mine", "odd", { annotations: { "entrance.dev/tcp": "99999:80" } }));
  expect(said.code).not.toBe(0);
  expect(said.err).toContain("entrance.dev/tcp");
});

test("a class that nobody serves is refused where it is ours, and none of our business where it is not", async () => {
  const classed = (annotation: string) =>
    ingress("mine", "classed", "classed.mine.example", {
      annotations: { "entrance.dev/class": annotation },
      to: "web",
    });
  expect((await world.kubectlApply(classed("nobodys"))).err).toMatch(/entrance\.dev\/class/);
  const foreign = ingress("theirs", "foreign", "www.mine.example", { spec: { ingressClassName: "nginx" } });
  expect(await world.kubectlApply(foreign)).toMatchObject({ code: 0 });
});

test("a key that does not fit its certificate is refused", async () => {
  const [one, other] = [makeCertificate(["a.mine.example"]), makeCertificate(["a.mine.example"])];
  const said = await world.kubectlApply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "misfit", namespace: "mine" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": one.chain, "tls.key": other.key },
  });
  expect(said.code).not.toBe(0);
  expect(said.err).toContain('admission webhook "secrets.entrance.dev" denied the request');
  expect(said.err).not.toContain("PRIVATE KEY");
});

test("a Secret of somebody else's business is not even asked about", async () => {
  const opaque = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "opaque", namespace: "mine" },
    stringData: { auth: "no such thing" },
  };
  expect(await world.kubectlApply(opaque)).toMatchObject({ code: 0, err: "" });
});

test("what works but is doubtful is warned of", async () => {
  const said = await world.kubectlApply(
    service("mine", "doubtful", {
      annotations: { "entrance.dev/http": "doubtful.mine.example", "entrance.dev/backend-protocol": "https" },
    }),
  );
  expect(said).toMatchObject({ code: 0 });
  expect(said.err).toMatch(/^Warning: /);
});

test("what is only missing never refuses", async () => {
  const early = ingress("mine", "early", "early.mine.example", {
    to: "not-there-yet",
    spec: { tls: [{ hosts: ["early.mine.example"], secretName: "nor-this" }] },
  });
  expect(await world.kubectlApply(early)).toMatchObject({ code: 0 });
});
