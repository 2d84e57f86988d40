// A request's first line may name a host (GET http://one/), and its Host another; HTTP/1.0 may name none at all. What
// guards one host's rules must not be gone round by the name of another.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FilteredNode, startFiltered } from "./filtered.ts";
import { pool, rule, slice } from "./values.ts";

let its: FilteredNode;
let guarded: string;
let plain: string;

beforeAll(async () => {
  its = await startFiltered();
  plain = await its.route({});
  guarded = await its.route({ filters: [{ type: "SourceRanges", sourceRanges: { allow: ["192.0.2.1"] } }] });
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});

/** The answer's status, and the Host that the application heard, if any did. */
function say(
  lines: readonly string[],
  body = "",
): Promise<{ status: number; heard: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(its.node.ports.http, "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += String(data);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const heard = /"host":"([^"]*)"/.exec(text)?.[1];
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), heard, text });
    });
    socket.write(`${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n${body}`);
  });
}

test("one host, said twice, with a port, in other letters", async () => {
  const hosts = [plain, `${plain}:1080`, plain.toUpperCase(), `${plain}.`, `${plain.toUpperCase()}.:80`];
  for (const host of hosts) {
    for (const each of [1, 2]) {
      const answer = await say([`GET http://${plain}/x?${each} HTTP/1.1`, `Host: ${host}`]);
      expect(answer).toMatchObject({ status: 200, heard: host });
    }
    expect(await say([`POST http://${host}/ HTTP/1.1`, `Host: ${plain}`, "Content-Length: 2"], "hi")).toMatchObject({
      status: 200,
      heard: plain,
    });
  }
});

test("an address of IPv6 as a host", async () => {
  await its.node.apply([rule("*", "web", { name: "any" })]);
  expect(await say(["GET / HTTP/1.1", "Host: [::1]:1080"])).toMatchObject({ status: 200, heard: "[::1]:1080" });
  await its.node.apply([{ key: rule("*", "web", { name: "any" }).key, value: null }]);
});

test("the name of a host without a guard leads to no other's application", async () => {
  const before = its.backend.requests();
  for (const method of ["GET", "POST", "DELETE"]) {
    const { status } = await say([`${method} http://${plain}/ HTTP/1.1`, `Host: ${guarded}`, "Content-Length: 0"]);
    expect([method, status]).toEqual([method, 400]);
  }
  expect((await say([`GET http://${plain}/ HTTP/1.1`, `Host: ${guarded}`])).status).toBe(400);
  expect((await say([`GET http://${guarded}/ HTTP/1.1`, `Host: ${guarded}`])).status).toBe(403);
  expect(its.backend.requests()).toBe(before);
});

test("the other way round: refused, or the Host counts, but never one here and the other behind", async () => {
  for (const each of [1, 2, 3]) {
    const { status, heard } = await say([`GET http://${guarded}/${each} HTTP/1.1`, `Host: ${plain}`]);
    expect([status, heard]).toEqual(each === 1 && status === 400 ? [400, undefined] : [200, plain]);
    await its.get(plain);
  }
});

test("a port in the Host outlives no change", async () => {
  const host = await its.route({});
  const name = async () => (JSON.parse((await its.get(`${host}:8080`)).text) as { name: string }).name;
  expect([await name(), await name()]).toEqual(["web", "web"]);
  await its.node.apply([rule(host, "nobody"), pool("nobody"), slice("nobody", [])]);
  expect((await its.get(`${host}:8080`)).status).toBe(503);
});

test("HTTP/1.0 without any host meets the rules of *, and no fault", async () => {
  const target = { pool: "Pool/shop/web/80" };
  const to = (path: string, more: Readonly<Record<string, unknown>>, name: string) =>
    rule("*", "web", { name, path, more });
  const changes = [
    to("/", {}, "all"),
    to("/mirrored", { filters: [{ type: "RequestMirror", requestMirror: target }] }, "mirrored"),
    to("/redirected", { filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }] }, "redirected"),
    to("/sent", { scheme: "httptohttps" }, "sent"),
  ];
  expect(await its.node.apply(changes)).toEqual([]);
  // The application answers, and what it says is that it wants a Host.
  const before = its.backend.connections();
  for (const path of ["/", "/mirrored"]) {
    expect((await say([`GET ${path} HTTP/1.0`])).status).toBe(400);
    expect((await say([`POST ${path} HTTP/1.0`, "Content-Length: 2"], "hi")).status).toBe(400);
  }
  expect(its.backend.connections()).toBeGreaterThan(before);
  for (const path of ["/redirected", "/sent"]) expect((await say([`GET ${path} HTTP/1.0`])).status).toBe(404);
});
