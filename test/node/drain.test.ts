// A node that is told to end: it says so first, loses nobody, and is gone in time.
import { Agent, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { type Backend, startBackend } from "../harness/backend.ts";
import { request, startNode } from "../harness/node.ts";
import { type LaunchedNode, launch } from "./launched.ts";
import { application } from "./values.ts";

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend("drained");
});

afterAll(async () => {
  await backend?.close();
});

async function launched(options: Parameters<typeof launch>[0]): Promise<LaunchedNode> {
  const node = await launch(options);
  await node.apply(application("www.example", "www", [{ port: backend.port }]));
  return node;
}

const readyOf = async (node: { ports: { health: number } }) => {
  const { status, text } = await request(node.ports.health, "/ready");
  return { status, body: JSON.parse(text) as unknown };
};
const DRAINING = { status: 503, body: { ready: false, reason: "draining" } };

function openSocket(node: LaunchedNode): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/ws`, { headers: { host: "www.example" } });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

describe.each(["SIGTERM", "SIGQUIT", "SIGINT"] as const)("on %s", (signal) => {
  test("it says that it wants no more, takes what comes for a while, and finishes what was begun", async () => {
    await using node = await launched({ drainSeconds: 2 });
    const download = node.get("www.example", "/slow?chunks=40&everyMs=100");
    await sleep(200); // it has begun
    node.signal(signal);
    await vi.waitFor(async () => expect(await readyOf(node)).toEqual(DRAINING), { interval: 20 });
    // Balancers have not noticed yet.
    for (let index = 0; index < 10; index++) expect((await node.get("www.example")).status).toBe(200);
    const { status, text } = await download;
    expect([status, text.length]).toEqual([200, 40 * 1024]);
    expect(await node.exited).toBe(0);
    await expect(node.get("www.example")).rejects.toThrow(/ECONNREFUSED/);
    expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]/);
  });
});

test("clients that keep their connections are told to leave, and none of their requests fails", async () => {
  await using node = await launched({ drainSeconds: 2 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise<string | undefined>((resolve, reject) => {
      const target = { host: "127.0.0.1", port: node.ports.http, headers: { host: "www.example" }, agent };
      httpRequest(target, (incoming) => {
        incoming.resume().once("end", () => resolve(incoming.headers.connection));
      })
        .once("error", reject)
        .end();
    });
  expect(await ask()).toBe("keep-alive");
  node.signal("SIGTERM");
  await vi.waitFor(async () => expect(await ask()).toBe("close"), { timeout: 1900, interval: 10 });
  expect(await node.exited).toBe(0);
  agent.destroy();
});

test("a WebSocket lives on until the time is over", async () => {
  await using node = await launched({ drainSeconds: 1, stopSeconds: 3 });
  const socket = await openSocket(node);
  const closed = new Promise<number>((resolve) => socket.once("close", () => resolve(Date.now())));
  const told = Date.now();
  node.signal("SIGTERM");
  await sleep(2500);
  const echoed = new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));
  socket.send("still there");
  expect(await echoed).toContain("still there");
  expect((await closed) - told).toBeGreaterThan(3000);
  expect(await node.exited).toBe(0);
});

test("a second signal does not wait for balancers", async () => {
  await using node = await launched({ drainSeconds: 600 });
  node.signal("SIGTERM");
  await vi.waitFor(async () => expect(await readyOf(node)).toEqual(DRAINING), { interval: 20 });
  node.signal("SIGTERM");
  expect(await node.exited).toBe(0);
});

test("nginx's own end is the launcher's, with its code", async () => {
  await using node = await launched({});
  process.kill(node.nginx, "SIGKILL");
  expect(await node.exited).toBe(137);
});

test("a node that was drained starts as one that wants requests", async () => {
  await using node = await startNode();
  await node.apply(application("www.example", "www", [{ port: backend.port }]));
  expect((await node.admin("/v2/drain", { method: "POST" })).text).toBe('{"draining":true}\n');
  await node.restart();
  expect(await node.isReady()).toBe(true);
});

describe("by the admin API", () => {
  test("it says so as long as it is wanted, and serves all the while", async () => {
    await using node = await startNode();
    await node.apply(application("www.example", "www", [{ port: backend.port }]));
    expect((await node.admin("/v2/drain", { method: "POST" })).status).toBe(200);
    expect(await readyOf(node)).toEqual(DRAINING);
    expect((await request(node.ports.health, "/metrics")).text).toContain("\nentrance_node_draining 1\n");
    expect((await node.get("www.example")).status).toBe(200);
    expect((await node.admin("/v2/drain", { method: "DELETE" })).text).toBe('{"draining":false}\n');
    expect(await node.isReady()).toBe(true);
  });

  test.each<[string, string, Record<string, string>, number]>([
    ["without a key", "POST", { authorization: "" }, 401],
    ["of a web page", "POST", { origin: "http://evil.example" }, 403],
    ["another method", "GET", {}, 405],
  ])("not %s", async (_, method, headers, status) => {
    await using node = await startNode();
    await node.apply(application("www.example", "www", [{ port: backend.port }]));
    expect((await node.admin("/v2/drain", { method, headers })).status).toBe(status);
    expect(await node.isReady()).toBe(true);
  });
});
