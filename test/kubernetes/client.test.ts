/** The client on an API's worst days: every wait, try and byte has its limit, and no token is ever shown. */
import { afterEach, expect, test } from "vitest";
import { KubernetesClient } from "../../shared/kubernetes/client.ts";
import { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { EntranceError } from "../../shared/model/error.ts";
import { type Answering, type BadApi, json, startBadApi, status } from "./api-server.ts";

let api: BadApi | undefined;

afterEach(async () => {
  await api?.close();
});

async function clientOf(...answers: readonly Answering[]): Promise<KubernetesClient> {
  api = await startBadApi(...answers);
  return new KubernetesClient(api.access);
}

const empty = { metadata: { resourceVersion: "7" }, items: [] };

async function faultOf(work: Promise<unknown>): Promise<EntranceError> {
  const fault = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(fault).toBeInstanceOf(EntranceError);
  return fault as EntranceError;
}

test("a LIST asks for no version, says where to go on, and who asks", async () => {
  const page = { metadata: { resourceVersion: "7", continue: "more" }, items: [{ metadata: { name: "a" } }] };
  const client = await clientOf(json(page), json({ ...empty, items: null }));
  expect(await client.list("Ingress", 500)).toEqual({ resourceVersion: "7", items: page.items, next: "more" });
  expect(await client.list("Ingress", 500, { after: "a+b/c=" })).toEqual({
    resourceVersion: "7",
    items: [],
    next: undefined,
  });
  expect(api?.asked).toEqual([
    "GET /apis/networking.k8s.io/v1/ingresses?limit=500",
    "GET /apis/networking.k8s.io/v1/ingresses?limit=500&continue=a%2Bb%2Fc%3D",
  ]);
  expect(api?.headers[0]).toMatchObject({
    authorization: "Bearer token-0",
    "user-agent": "entrance",
    accept: "application/json",
  });
});

test("one object is listed by its name, and no name reaches out of its place", async () => {
  const client = await clientOf(json(empty));
  await client.list("EndpointSlice", 1, { named: { namespace: "shop", name: "web-x" } });
  await client.list("Namespace", 1, { named: { namespace: "", name: "shop" } });
  await client.list("Secret", 1, { named: { namespace: "../x?y", name: "a,b&limit=9" } });
  expect(api?.asked).toEqual([
    "GET /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?limit=1&fieldSelector=metadata.name%3Dweb-x",
    "GET /api/v1/namespaces?limit=1&fieldSelector=metadata.name%3Dshop",
    "GET /api/v1/namespaces?limit=1&fieldSelector=metadata.name%3Dkube-system",
    "GET /api/v1/namespaces/..%2Fx%3Fy/secrets/a%2Cb%26limit%3D9",
  ]);
});

test("a Secret is read by a GET, as of a version that was told before; there or not", async () => {
  const secret = { metadata: { name: "tls", resourceVersion: "3" } };
  const client = await clientOf(json(empty), json(secret), status(404, "NotFound"));
  const named = { namespace: "shop", name: "tls" };
  expect(await client.list("Secret", 1, { named })).toEqual({ resourceVersion: "7", items: [secret], next: undefined });
  expect(await client.list("Secret", 1, { named, since: "9" })).toEqual({
    resourceVersion: "9",
    items: [],
    next: undefined,
  });
  expect(api?.asked).toHaveLength(3);
});

test("one object is got by its name: as it is, or not there; a role that does not allow it is told", async () => {
  const found = { metadata: { name: "web", resourceVersion: "3" } };
  const client = await clientOf(json(found), status(404, "NotFound"), status(403, "Forbidden"));
  const named = { namespace: "shop", name: "web" };
  expect(await client.get("Ingress", named)).toEqual(found);
  expect(await client.get("Ingress", named)).toBeUndefined();
  await expect(client.get("Ingress", named)).rejects.toMatchObject({
    code: "forbidden",
    message: "may not get Ingress shop/web: its role (RBAC) must allow that",
  });
  expect(api?.asked[0]).toBe("GET /apis/networking.k8s.io/v1/namespaces/shop/ingresses/web");
});

test("429 waits as long as it says, 5xx longer each time", async () => {
  const client = await clientOf(
    status(429, "TooManyRequests", { "retry-after": "2" }),
    status(503, "ServiceUnavailable"),
    status(500, "InternalError"),
    json(empty),
  );
  expect(await client.list("Service", 10)).toMatchObject({ resourceVersion: "7" });
  expect(api?.pauses).toEqual([2_000, 200, 400]);
});

test("who asks for more patience than there is gets none", async () => {
  const client = await clientOf(status(429, "TooManyRequests", { "retry-after": "99999" }));
  const fault = await faultOf(client.list("Service", 10, { named: { namespace: "shop", name: "web" } }));
  expect(fault).toMatchObject({ code: "unavailable", message: expect.stringContaining("429 TooManyRequests") });
  expect(api?.asked).toHaveLength(1);
});

test("a page that is too old begins anew", async () => {
  const client = await clientOf(status(410, "Expired"));
  expect(await faultOf(client.list("Service", 10, { after: "old" }))).toMatchObject({
    code: "unavailable",
    message: "cannot list services: the page is too old, begin anew",
  });
});

test("a token that is refused is read again, once", async () => {
  const client = await clientOf(status(401, "Unauthorized"), json(empty));
  await client.list("Service", 10);
  expect(api?.headers.map(({ authorization }) => authorization)).toEqual(["Bearer token-0", "Bearer token-1"]);
  await api?.close();
  const refused = await clientOf(status(401, "Unauthorized"));
  const fault = await faultOf(refused.list("Service", 10));
  expect(fault).toMatchObject({ code: "misconfigured", message: expect.stringContaining("ENTRANCE_KUBE_TOKEN_FILE") });
  expect(api?.asked).toHaveLength(2);
  expect(`${fault.message} ${fault.stack} ${JSON.stringify(fault)}`).not.toContain("token-");
});

test("what its role does not allow is said with what it was", async () => {
  const client = await clientOf(status(403, "Forbidden"));
  expect(await faultOf(client.list("Service", 1, { named: { namespace: "shop", name: "web" } }))).toMatchObject({
    code: "forbidden",
    message: "may not list services by name (Service shop/web): its role (RBAC) must allow that",
  });
  await api?.close();
  const closed = await clientOf(json(empty), status(403, "Forbidden"));
  expect(await faultOf(closed.list("Secret", 1, { named: { namespace: "shop", name: "tls" } }))).toMatchObject({
    code: "forbidden",
    message: "may not get Secret shop/tls: its role (RBAC) must allow that",
  });
});

test("a page that is too large is asked for again, half as long", async () => {
  const large: Answering = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const piece = "x".repeat(1024 * 1024);
    const write = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", write);
    response.on("error", () => undefined);
    write();
  };
  const client = await clientOf(large, large, json(empty));
  expect(await client.list("Service", 500)).toMatchObject({ resourceVersion: "7" });
  expect(api?.asked.map((each) => each.replace(/.*limit=/, ""))).toEqual(["500", "250", "125"]);
  await api?.close();
  const never = await clientOf(large);
  expect(await faultOf(never.list("Service", 2))).toMatchObject({
    message: "cannot list services: the answer is too large",
  });
});

test("whatever is no answer of Kubernetes' is none", async () => {
  const html: Answering = (_, response) => response.end("<html>");
  const torn: Answering = (_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write('{"metadata"');
    setTimeout(() => response.destroy(), 20);
  };
  for (const answer of [
    html,
    torn,
    json({}),
    json([]),
    json({ metadata: { resourceVersion: 7 }, items: [] }),
    status(404, "NotFound"),
  ]) {
    const client = await clientOf(answer, json({ items: "x" }));
    expect((await faultOf(client.list("Service", 1))).code).toMatch(/^(unavailable|misconfigured)$/);
    await api?.close();
  }
});

test("nobody there is unavailable, and says why", async () => {
  const client = await clientOf(json(empty));
  await api?.close();
  expect(await faultOf(client.list("Service", 1, { named: { namespace: "a", name: "b" } }))).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("the Kubernetes API does not answer"),
  });
});

test("a redirection is not followed: it would carry the token away", async () => {
  const away: Answering = (_, response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" });
    response.end();
  };
  const client = await clientOf(away);
  expect(await faultOf(client.clusterId())).toMatchObject({ code: "unavailable" });
  expect(api?.asked).toEqual(["GET /api/v1/namespaces/kube-system"]);
});

test("objects are patched and created, and who was first is told apart", async () => {
  api = await startBadApi(json({}), status(409, "Conflict"), status(404, "NotFound"), status(422, "Invalid"));
  const objects = new KubernetesObjects(api.access);
  expect(await objects.merge("/api/v1/x", { a: 1 }, "Thing x")).toBe("done");
  expect(await objects.create("/api/v1/x", { a: 1 }, "Thing x")).toBe("conflict");
  expect(await objects.mergeByName("/api/v1/x", { a: 1 }, "Thing x")).toBe("absent");
  expect(await faultOf(objects.merge("/api/v1/x", {}, "Thing x"))).toMatchObject({
    message: "cannot patch Thing x: Invalid it is",
  });
  expect(api.headers.map((each) => each["content-type"])).toEqual([
    "application/merge-patch+json",
    "application/json",
    "application/strategic-merge-patch+json",
    "application/merge-patch+json",
  ]);
});
