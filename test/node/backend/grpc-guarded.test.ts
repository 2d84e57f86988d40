// gRPC clients that meet what guards a rule: told in gRPC's words, and let in where they may.
import { connect } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../harness/certificate.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";
import { type GrpcBackend, GrpcClient, startGrpc } from "./grpc-service.ts";

const pair = makeCertificate(["*.grpc.example"]);
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
// By openssl passwd -5 -salt saltsalt secret
const users = [{ name: "ann", hash: "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA" }];
let node: TestNode;
let backend: GrpcBackend;

beforeAll(async () => {
  node = await startNode();
  backend = await startGrpc("one");
  await node.apply([
    ...[certificate("default", pair), domain("*", ["default"])],
    ...[pool("one", { protocol: "grpc" }), slice("one", [{ port: backend.port }])],
  ]);
});
afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run/);
  await node.stop();
  await backend[Symbol.asyncDispose]();
});

let count = 0;
async function route(...filters: readonly object[]): Promise<string> {
  const host = `r${count++}.grpc.example`;
  expect(await node.apply([rule(host, "one", { name: host, more: { scheme: "https", filters } })])).toEqual([]);
  return host;
}

async function call(host: string): Promise<{ code: number; messages: readonly string[] }> {
  using client = new GrpcClient(node.ports.https, host, pair.chain);
  return await client.call("Unary", ["hello"]);
}

/** What gRPC's client says of a header of its own is left to it: one call by bare HTTP/2. */
function status(host: string, more: Readonly<Record<string, string>>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${node.ports.https}`, { rejectUnauthorized: false, servername: host });
    const head = { ":method": "POST", ":path": "/test.Echo/Unary", ":authority": host };
    const stream = session.request({ ...head, "content-type": "application/grpc", te: "trailers", ...more });
    let found: unknown;
    stream.on("response", (headers) => {
      found = headers["grpc-status"];
    });
    stream.on("trailers", (headers) => {
      found ??= headers["grpc-status"];
    });
    stream.on("error", reject);
    stream.on("close", () => resolve(found === undefined ? undefined : String(found)));
    stream.on("close", () => session.close());
    stream.resume();
    stream.end(Buffer.from([0, 0, 0, 0, 2, 104, 105]));
  });
}

test("who has no password, a wrong one, and the right one", async () => {
  const host = await route({ type: "BasicAuth", basicAuth: { users } });
  expect((await call(host)).code).toBe(UNAUTHENTICATED);
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  for (const wrong of [basic("ann:wrong"), basic("bob:secret"), "Basic !!!", "Bearer x"]) {
    expect(await status(host, { authorization: wrong })).toBe(String(UNAUTHENTICATED));
  }
  expect(await status(host, { authorization: basic("ann:secret") })).toBe("0");
});

test("who comes too often", async () => {
  const host = await route({ type: "RateLimit", rateLimit: { requests: 2, period: "1h", burst: 2 } });
  const codes = [(await call(host)).code, (await call(host)).code, (await call(host)).code];
  expect(codes).toEqual([0, 0, UNAVAILABLE]);
});

test("who comes from elsewhere", async () => {
  const host = await route({ type: "SourceRanges", sourceRanges: { allow: ["192.0.2.0/24"] } });
  const before = backend.calls();
  expect((await call(host)).code).toBe(PERMISSION_DENIED);
  expect(backend.calls()).toBe(before);
});

test("pages of other origins, and headers changed on the way back", async () => {
  const host = await route(
    { type: "CORS", cors: { allowOrigins: ["https://page.example"], allowMethods: ["POST"] } },
    { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-told", value: "yes" }] } },
  );
  expect(await call(host)).toMatchObject({ code: 0, messages: ["one:hello"] });
  expect(await status(host, { origin: "https://page.example" })).toBe("0");
});
