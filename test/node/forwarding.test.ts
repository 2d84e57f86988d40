// How requests are handed on: headers, bodies, WebSockets, long answers, while the node's state changes.
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { application, rule, slice } from "./values.ts";

let node: TestNode;
let backend: Backend;

beforeAll(async () => {
  backend = await startBackend("web", 0, "0.0.0.0");
  node = await startNode();
  await node.apply(application("www.example", "web", [{ port: backend.port }]));
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
});

describe("headers", () => {
  test("what a backend hears of the client; what the client says of itself is not believed", async () => {
    const answer = await node.get("www.example:1080", "/", {
      headers: {
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
        "x-forwarded-port": "443",
        "x-real-ip": "6.6.6.6",
        forwarded: "for=6.6.6.6",
        "x-own": "stays",
      },
    });
    const { headers } = JSON.parse(answer.text) as Echo;
    expect(headers).toMatchObject({
      host: "www.example:1080",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "www.example:1080",
      "x-forwarded-port": String(node.ports.http),
      "x-real-ip": "127.0.0.1",
      "x-own": "stays",
    });
    expect(headers["forwarded"]).toBeUndefined();
    expect(headers["connection"]).not.toBe("close");
  });

  test("20 KB of cookies fit", async () => {
    const cookie = `a=${"x".repeat(20_000)}`;
    expect((await node.get("www.example", "/", { headers: { cookie } })).status).toBe(200);
  });

  test("connections to a backend are kept", async () => {
    await using counting = await startBackend("counting");
    await node.apply(application("counting.example", "counting", [{ port: counting.port }]));
    for (let index = 0; index < 20; index++) await node.get("counting.example", "/");
    expect(counting.requests()).toBe(20);
    expect(counting.connections()).toBeLessThanOrEqual(2);
  });
});

describe("bodies", () => {
  test("5 MB go through, and come whole", async () => {
    const body = "0123456789".repeat(500_000);
    const answer = await node.get("www.example", "/", { method: "POST", body });
    expect((JSON.parse(answer.text) as Echo).body).toBe(body);
  });

  test("a body in chunks goes through", async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { host: "www.example", "transfer-encoding": "chunked" };
      const target = { host: "127.0.0.1", port: node.ports.http, method: "PUT", headers };
      const outgoing = httpRequest(target, async (incoming) => {
        let whole = "";
        for await (const chunk of incoming) whole += String(chunk);
        resolve(whole);
      });
      outgoing.on("error", reject);
      outgoing.write("first,");
      setTimeout(() => outgoing.end("second"), 50);
    });
    expect((JSON.parse(text) as Echo).body).toBe("first,second");
  });

  test("an answer is handed on while it comes, not when it is whole", async () => {
    const began = Date.now();
    const first = await new Promise<number>((resolve, reject) => {
      const target = { host: "127.0.0.1", port: node.ports.http, path: "/slow?chunks=20&everyMs=50" };
      const outgoing = httpRequest({ ...target, headers: { host: "www.example" } }, (incoming) => {
        incoming.once("data", () => {
          resolve(Date.now() - began);
          outgoing.destroy();
        });
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
    expect(first).toBeLessThan(500);
  });
});

describe("WebSockets", () => {
  test("are handed on, both ways", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/chat`, { headers: { host: "www.example" } });
    const answer = await new Promise<string>((resolve, reject) => {
      socket.on("open", () => socket.send("hello"));
      socket.on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
    });
    socket.close();
    expect(answer).toBe("web: hello");
  });
});

test("1,000 changes drop no WebSocket and no download, reload nothing, and fail no request", async () => {
  const before = await node.state();
  const sockets = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/`, { headers: { host: "www.example" } });
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      return socket;
    }),
  );
  let dropped = 0;
  for (const socket of sockets) socket.on("close", () => dropped++);
  const download = node.get("www.example", "/slow?chunks=100&everyMs=10");

  const failures: string[] = [];
  let asking = true;
  const asked = (async () => {
    while (asking) {
      const { status } = await node.get("www.example", "/");
      if (status !== 200) failures.push(String(status));
    }
  })();
  for (let round = 0; round < 250; round++) {
    const members = [{ port: backend.port }, { port: backend.port, address: `127.0.0.${1 + (round % 8)}` }];
    await node.apply([slice("web", members)]);
    await node.apply([rule("www.example", "web", { name: "more", path: `/p${round % 7}` })]);
    await node.apply(application(`new-${round % 50}.example`, `new-${round % 50}`, [{ port: backend.port }]));
    await node.apply([rule("www.example", "web", { name: "web", more: { round } })]);
  }
  asking = false;
  await asked;

  expect((await download).text).toHaveLength(100 * 1024);
  for (const socket of sockets) {
    const echo = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
    socket.send("still here");
    expect(await echo).toBe("web: still here");
  }
  expect(dropped).toBe(0);
  for (const socket of sockets) socket.close();
  expect(failures).toEqual([]);
  const after = await node.state();
  expect(after.workers.map((worker) => worker.pid)).toEqual(before.workers.map((worker) => worker.pid));
  expect(after.revision - before.revision).toBe(1000);
  expect(node.log()).not.toMatch(/reconfigur|\[(error|crit|alert|emerg)\]/);
});

test("what is announced as chunks and is none is 400, and ends the connection", async () => {
  const text = "POST / HTTP/1.1\r\nHost: nobody.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
  const heard = await new Promise<string>((resolve, reject) => {
    let all = "";
    const socket = connect(node.ports.http, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      all += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(all));
  });
  expect(heard).toMatch(/^HTTP\/1\.1 400 /);
  expect(node.log()).not.toContain("lua entry thread aborted");
});

test("hostile bytes on the data port harm nobody", async () => {
  const lines = [
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: www.example\r\n\r\n",
    "GET http://www.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    `GET /${"x".repeat(70_000)} HTTP/1.1\r\nHost: www.example\r\n\r\n`,
    "POST / HTTP/1.1\r\nHost: www.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "$(reboot)\r\n\r\n",
  ];
  for (const text of lines) {
    await new Promise<void>((resolve) => {
      const socket = connect(node.ports.http, "127.0.0.1", () => socket.end(text, "latin1"));
      socket.resume();
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
    });
  }
  expect((await node.get("www.example", "/")).status).toBe(200);
  expect(node.log()).not.toMatch(/\[(alert|emerg)\]|lua entry thread aborted|failed to run/);
});
