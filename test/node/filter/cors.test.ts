import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, slice } from "../values.ts";

let its: FilteredNode;
beforeAll(async () => {
  its = await startFiltered();
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});

const cors = (settings: object) => ({ filters: [{ type: "CORS", cors: settings }] });
const origin = "https://app.example";
const preflight = (more: Record<string, string> = {}) => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "X-A,X-B", ...more },
});

test("a preflight is answered by the node", async () => {
  const host = await its.route(
    cors({
      allowOrigins: [origin],
      allowMethods: ["GET", "PUT"],
      allowHeaders: ["X-A", "X-B"],
      exposeHeaders: ["X-C"],
      maxAge: 600,
    }),
  );
  const before = its.backend.requests();
  const { status, headers, text } = await its.get(host, "/", preflight());
  expect([status, text]).toEqual([204, ""]);
  expect(headers).toMatchObject({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, PUT",
    "access-control-allow-headers": "X-A, X-B",
    "access-control-max-age": "600",
    vary: "Origin",
  });
  expect(headers["access-control-allow-credentials"]).toBeUndefined();
  expect(its.backend.requests()).toBe(before);
  const answer = await its.get(host, "/", { headers: { origin } });
  expect(answer.headers).toMatchObject({
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "X-C",
    vary: "Origin",
  });
});

test("a preflight's body is thrown away, and nothing of it is read as the next request", async () => {
  const host = await its.route(cors({ allowOrigins: [origin], allowMethods: ["PUT"] }));
  const hidden = `GET /hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const before = its.backend.requests();
  const head = `Origin: ${origin}\r\nAccess-Control-Request-Method: PUT\r\nContent-Length: ${hidden.length}`;
  const socket = connect(its.node.ports.http, "127.0.0.1");
  socket.write(`OPTIONS / HTTP/1.1\r\nHost: ${host}\r\n${head}\r\n\r\n${hidden}`);
  socket.write(`GET /second HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const text = (await socket.toArray()).join("");
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 204", "HTTP/1.1 200"]);
  expect(text).not.toContain("/hidden");
  expect(its.backend.requests() - before).toBe(1);
});

test("other origins get nothing, and are not turned away", async () => {
  const host = await its.route(cors({ allowOrigins: [origin], allowMethods: ["PUT"] }));
  const asked = await its.get(host, "/", preflight({ origin: "https://evil.example" }));
  expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([204, undefined]);
  expect(asked.headers["access-control-allow-methods"]).toBeUndefined();
  const answer = await its.get(host, "/", { headers: { origin: "null" } });
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, undefined]);
  expect(answer.headers.vary).toBe("Origin");
  expect((await its.heard(host, "/", { method: "OPTIONS" })).method).toBe("OPTIONS");
});

test.each([
  ["https://*.app.example", "https://a.b.app.example", true],
  ["https://*.app.example", "https://app.example", false],
  ["https://*.app.example", "https://evilapp.example", false],
  ["https://*.app.example", "http://a.app.example", false],
  ["http://localhost:3000", "http://LOCALHOST:3000", true],
  ["http://localhost:3000", "http://localhost:3001", false],
])("origin %s and %s: %s", async (allowed, asked, expected) => {
  const host = await its.route(cors({ allowOrigins: [allowed] }));
  const { headers } = await its.get(host, "/", { headers: { origin: asked } });
  expect(headers["access-control-allow-origin"]).toBe(expected ? asked : undefined);
});

test("what a backend allows by itself does not count", async () => {
  const { createServer } = await import("node:http");
  const said = { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" };
  const server = createServer((_, outgoing) => outgoing.writeHead(200, said).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await its.node.apply([pool("open"), slice("open", [{ port }])]);
  const host = await its.route(cors({ allowOrigins: [origin] }), {}, "open");
  const of = async (from: string) => {
    const { headers } = await its.get(host, "/", { headers: { origin: from } });
    return [headers["access-control-allow-origin"], headers["access-control-allow-credentials"]];
  };
  expect([await of(origin), await of("https://evil.example")]).toEqual([
    [origin, undefined],
    [undefined, undefined],
  ]);
  server.close();
});

test("everything, without credentials and with", async () => {
  const all = { allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"] };
  const open = await its.get(await its.route(cors(all)), "/", preflight());
  expect(open.headers).toMatchObject({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
  });
  const named = await its.get(await its.route(cors({ ...all, allowCredentials: true })), "/", preflight());
  expect(named.headers).toMatchObject({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "PUT",
    "access-control-allow-headers": "X-A,X-B",
    "access-control-allow-credentials": "true",
    vary: "Origin",
  });
});

test("also on what another filter answers, so that a page can read why; a preflight needs no password", async () => {
  const users = [{ name: "a", hash: `$5$abcdefgh$${"a".repeat(43)}` }];
  const filters = [...cors({ allowOrigins: [origin] }).filters, { type: "BasicAuth", basicAuth: { users } }];
  const host = await its.route({ filters });
  const answer = await its.get(host, "/", { headers: { origin } });
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([401, origin]);
  expect((await its.get(host, "/", preflight())).status).toBe(204);
});

test.each<[object, RegExp]>([
  [{}, /allowOrigins must name an origin/],
  [{ allowOrigins: ["app.example"] }, /must be an origin such as/],
  [{ allowOrigins: ["https://a.example/path"] }, /must be an origin/],
  [{ allowOrigins: ["https://a\r\nb"] }, /must be an origin/],
  [{ allowOrigins: ["*"], allowMethods: ["get"] }, /must be a method/],
  [{ allowOrigins: ["*"], allowHeaders: ["a\r\nb"] }, /must be a header's name/],
  [{ allowOrigins: ["*"], maxAge: 1e9 }, /maxAge must be a whole number/],
  [{ allowOrigins: ["*"], allowCredentials: "yes" }, /allowCredentials must be true or false/],
])("refuses %j", async (settings, reason) => {
  expect((await its.reasons(cors(settings)))[0]).toMatch(reason);
});
