// How members that can't serve are found out, by requests and by asking; what is known is known to all workers.
import { createServer, type Server } from "node:http";
import { createServer as createHttp2, type Http2Server } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../../harness/certificate.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { request, startNode, type TestNode } from "../../harness/node.ts";
import { type Member, pool, rule, slice } from "../values.ts";
import { startGrpc } from "./grpc-service.ts";

let node: TestNode;
const closing: (() => void)[] = [];
const WORKERS = 3;

beforeAll(async () => {
  node = await startNode({ workers: WORKERS });
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await node.apply(pools.splice(0).map((name) => ({ ...pool(name), value: null })));
});
afterAll(async () => {
  const lines = node
    .log()
    .split("\n")
    .filter((line) => !line.includes("exited on signal 9"));
  expect(lines.join("\n")).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run|broke off|the check itself/);
  await node?.stop();
});

interface Flapping {
  readonly port: number;
  status: number;
  /** Paths and hosts of the checks. */
  readonly checks: { readonly path: string; readonly host: string }[];
  readonly requests: () => number;
}

/** Checks by the node name themselves; all else is counted as a request. */
async function startFlapping(status = 200): Promise<Flapping> {
  let requests = 0;
  const it = { status, checks: [] as { path: string; host: string }[] };
  const server: Server = createServer((incoming, outgoing) => {
    if (incoming.headers["user-agent"] === "entrance") {
      it.checks.push({ path: incoming.url ?? "", host: incoming.headers.host ?? "" });
      outgoing.writeHead(it.status).end();
    } else {
      requests += 1;
      outgoing.end("fine");
    }
  });
  await listening(server);
  return Object.assign(it, { port: (server.address() as AddressInfo).port, requests: () => requests });
}

async function listening(server: Server | Http2Server | ReturnType<typeof createTcp>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const often = { interval: "100ms", timeout: "300ms", healthy: 2, unhealthy: 2 };

let count = 0;
const pools: string[] = [];
async function route(members: readonly Member[], settings: Readonly<Record<string, unknown>>): Promise<string> {
  const name = `health-${count++}`;
  pools.push(name);
  const rejected = await node.apply([
    pool(name, settings),
    slice(name, members),
    rule(`${name}.example`, name, { name }),
  ]);
  if (rejected.length > 0) throw new Error(rejected[0]?.reason);
  return name;
}

async function unwell(name: string): Promise<readonly { port: number; reason: string; since: string }[]> {
  const { health } = await node.state();
  return health.filter((it) => it.pool === `Pool/shop/${name}/80`);
}

async function expectPorts(name: string, ports: readonly number[]): Promise<void> {
  await expect
    .poll(async () => (await unwell(name)).map(({ port }) => port).sort(), { timeout: 10_000, interval: 50 })
    .toEqual([...ports].sort());
}

/** Each on a connection of its own, so that all workers are asked. */
async function ask(name: string, times: number): Promise<void> {
  const statuses = Array.from({ length: times }, async () => (await node.get(`${name}.example`)).status);
  expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
}

describe("asked by http", () => {
  test("a member that says it is not well gets nothing, from any worker, until it is well again", async () => {
    const [good, flapping] = [await startFlapping(), await startFlapping()];
    const active = { type: "http", path: "/healthz?full=1", host: "web.shop.example", ...often };
    const name = await route([{ port: good.port }, { port: flapping.port }], { health: { active } });
    await ask(name, 30);
    expect(flapping.requests()).toBeGreaterThan(5);
    flapping.status = 503;
    await expectPorts(name, [flapping.port]);
    expect(await unwell(name)).toEqual([
      {
        pool: `Pool/shop/${name}/80`,
        address: "127.0.0.1",
        port: flapping.port,
        healthy: false,
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        reason: "it answered 503",
      },
    ]);
    const { unhealthyPools, unhealthyCount } = await node.state();
    expect(unhealthyPools).toContainEqual({ pool: `Pool/shop/${name}/80`, members: 2, unhealthy: 1 });
    expect(unhealthyCount).toBeGreaterThan(0);
    const before = flapping.requests();
    await ask(name, 40);
    expect(flapping.requests()).toBe(before);
    flapping.status = 204;
    await expectPorts(name, []);
    await ask(name, 40);
    expect(flapping.requests()).toBeGreaterThan(before + 5);
    expect(new Set(flapping.checks.map((it) => `${it.host}${it.path}`))).toEqual(
      new Set(["web.shop.example/healthz?full=1"]),
    );
  });

  test("which answers are good can be said", async () => {
    const it = await startFlapping(401);
    const active = { type: "http", ...often, statuses: "200-299,401" };
    const name = await route([{ port: it.port }], { health: { active } });
    await expect.poll(() => it.checks.length, { timeout: 10_000 }).toBeGreaterThan(4);
    expect(await unwell(name)).toEqual([]);
    it.status = 302;
    await expectPorts(name, [it.port]);
    expect(it.checks[0]?.host).toBe(`127.0.0.1:${it.port}`);
  });

  test("so many answers one after another, not one", async () => {
    const it = await startFlapping();
    const active = { type: "http", ...often, unhealthy: 4 };
    const name = await route([{ port: it.port }], { health: { active } });
    await expect.poll(() => it.checks.length, { timeout: 10_000 }).toBeGreaterThan(2);
    for (let turn = 0; turn < 3; turn += 1) {
      const before = it.checks.length;
      it.status = 500;
      await expect.poll(() => it.checks.length, { interval: 5 }).toBeGreaterThan(before + 1);
      it.status = 200;
      await expect.poll(() => it.checks.length, { interval: 5 }).toBeGreaterThan(before + 3);
      expect(await unwell(name)).toEqual([]);
    }
  });

  test("when none is well all are asked: better a try than a refusal", async () => {
    const both = [await startFlapping(500), await startFlapping(500)];
    const active = { type: "http", ...often };
    const name = await route(
      both.map(({ port }) => ({ port })),
      { health: { active } },
    );
    await expectPorts(
      name,
      both.map(({ port }) => port),
    );
    await ask(name, 20);
  });

  test("what is known goes on when the pool changes, and away with the member, the check or the pool", async () => {
    const [good, bad] = [await startFlapping(), await startFlapping(500)];
    const health = { active: { type: "http", ...often } };
    const members = [{ port: good.port }, { port: bad.port }];
    const name = await route(members, { health });
    await expectPorts(name, [bad.port]);
    await node.apply([
      slice(name, [...members, { port: (await startFlapping()).port }]),
      pool(name, { health, alias: "x" }),
    ]);
    expect(await unwell(name)).toHaveLength(1);
    await node.apply([pool(name)]);
    await expectPorts(name, []);
    await node.apply([pool(name, { health })]);
    await expectPorts(name, [bad.port]);
    await node.apply([slice(name, [{ port: good.port }])]);
    await expectPorts(name, []);
    await node.apply([slice(name, members)]);
    await expectPorts(name, [bad.port]);
    await node.apply([{ ...pool(name), value: null }]);
    await expectPorts(name, []);
  });

  test("over TLS and over HTTP/2", async () => {
    const pair = makeCertificate(["x.example"]);
    await using safe = await startGrpc("safe", pair);
    const h2 = createHttp2();
    let status = 200;
    h2.on("stream", (stream) => {
      stream.respond({ ":status": status });
      stream.end("x");
    });
    const port = await listening(h2);
    const plain = await startFlapping();
    const name = await route([{ port }, { port: plain.port }], {
      protocol: "h2c",
      health: { active: { type: "http", ...often } },
    });
    await expectPorts(name, [plain.port]);
    for (const other of [503, 418, 500]) {
      status = other;
      await expectPorts(name, [port, plain.port]);
      const all = await unwell(name);
      expect(all.find((it) => it.port === port)?.reason).toBe(`it answered ${other}`);
      status = 200;
      await expectPorts(name, [plain.port]);
    }
    const web = createHttps({ cert: pair.chain, key: pair.key }, (_, outgoing) => outgoing.writeHead(status).end());
    const asked = await route([{ port: await listening(web) }], {
      protocol: "https",
      tls: { verify: false },
      health: { active: { type: "http", ...often } },
    });
    status = 500;
    await expect.poll(async () => (await unwell(asked))[0]?.reason, { timeout: 10_000 }).toBe("it answered 500");
    status = 200;
    await expectPorts(asked, []);
    const https = await route([{ port: safe.port }, { port: plain.port }], {
      protocol: "https",
      tls: { verify: false },
      health: { active: { type: "tcp", ...often } },
    });
    await expectPorts(https, [plain.port]);
    expect((await unwell(https))[0]?.reason).toMatch(/TLS handshake/);
  });
});

test("asked by gRPC", async () => {
  await using serving = await startGrpc("serving");
  await using silent = await startGrpc("silent");
  serving.serving = true;
  const name = await route([{ port: serving.port }, { port: silent.port }], {
    protocol: "grpc",
    health: { active: { type: "grpc", ...often } },
  });
  await expectPorts(name, [silent.port]);
  expect((await unwell(name))[0]?.reason).toBe("it has no service grpc.health.v1.Health");
  serving.serving = false;
  silent.serving = true;
  await expectPorts(name, [serving.port]);
  expect((await unwell(name))[0]?.reason).toBe("it says that it does not serve");
});

describe("asked by tcp", () => {
  test("a port that nobody listens on", async () => {
    const [closed = 0] = await freePorts(1);
    const good = await startFlapping();
    const name = await route([{ port: closed }, { port: good.port }], {
      health: { active: { type: "tcp", ...often } },
    });
    await expectPorts(name, [closed]);
    expect((await unwell(name))[0]?.reason).toBe("it took no connection: connection refused");
  });

  test("a thousand members that are not there hold up nobody", async () => {
    const [closed = 0] = await freePorts(1);
    const good = await startFlapping();
    const away = Array.from({ length: 999 }, (_, place) => ({
      address: `127.7.${Math.floor(place / 250)}.${1 + (place % 250)}`,
      port: closed,
    }));
    const active = { type: "tcp", ...often, interval: "500ms" };
    const name = await route([{ port: good.port }, ...away], { health: { active } });
    const expected = { pool: `Pool/shop/${name}/80`, members: 1000, unhealthy: 999 };
    await expect
      .poll(async () => (await node.state()).unhealthyPools, { timeout: 20_000, interval: 100 })
      .toContainEqual(expected);
    const state = await node.state();
    expect(state.health).toHaveLength(100);
    expect(state.unhealthyCount).toBeGreaterThan(998);
    await ask(name, 30);
    await node.apply([{ ...pool(name), value: null }]);
    await expect.poll(async () => (await node.state()).unhealthyCount, { timeout: 20_000 }).toBeLessThan(999);
  });
});

describe("nonsense that members answer", () => {
  test.each<[string, string, string, string, RegExp]>([
    ["another protocol", "http", "http", "220 smtp.example ESMTP\r\n", /does not speak HTTP\/1.1/],
    ["a line without end", "http", "http", "x".repeat(200_000), /too long an answer/],
    ["HTTP/1.1", "http", "h2c", "HTTP/1.1 400 Bad Request\r\n\r\n", /does not speak HTTP\/2/],
    [
      "headers that are none",
      "grpc",
      "grpc",
      "\0\0\x04\x01\x04\0\0\0\x01\xff\xff\xff\xff",
      /it did not answer|service/,
    ],
    [
      "a status in bits that mean nothing",
      "http",
      "h2c",
      "\0\0\x05\x01\x04\0\0\0\x01\x48\x83\xff\xff\xff",
      /does not speak HTTP\/2/,
    ],
  ])("%s", async (_, type, protocol, answer, reason) => {
    const port = await listening(
      createTcp((socket) => {
        socket.on("error", () => socket.destroy());
        socket.write(Buffer.from(answer, "latin1"));
        socket.resume();
      }),
    );
    const name = await route([{ port }], { protocol, health: { active: { type, ...often } } });
    await expectPorts(name, [port]);
    expect((await unwell(name))[0]?.reason).toMatch(reason);
  });

  test("bytes that drip are given no more time than said", async () => {
    const timers = new Set<NodeJS.Timeout>();
    const port = await listening(
      createTcp((socket) => {
        const timer = setInterval(() => socket.write("H"), 50);
        timers.add(timer);
        socket.on("close", () => clearInterval(timer)).on("error", () => socket.destroy());
      }),
    );
    const name = await route([{ port }], { health: { active: { type: "http", ...often } } });
    await expectPorts(name, [port]);
    expect((await unwell(name))[0]?.reason).toMatch(/did not answer: timeout/);
    for (const timer of timers) clearInterval(timer);
  });
});

describe("found out by requests", () => {
  test("one worker's failure is known to all: one try in all", async () => {
    const [closed = 0] = await freePorts(1);
    const good = await startFlapping();
    const name = await route([{ port: closed }, { port: good.port }], { health: { passive: { for: "30s" } } });
    const before = node.log().split("Connection refused").length;
    for (let sent = 0; sent < 10 * WORKERS; sent += 1) await ask(name, 1);
    expect(node.log().split("Connection refused").length - before).toBe(1);
    const [it] = await unwell(name);
    expect([it?.port, it?.reason]).toEqual([closed, "it took no connection"]);
  });

  test("so many failures within the time, for so long", async () => {
    const [closed = 0] = await freePorts(1);
    const good = await startFlapping();
    const name = await route([{ port: closed }, { port: good.port }], {
      health: { passive: { failures: 3, for: "1s" } },
    });
    const before = node.log().split("Connection refused").length;
    for (let sent = 0; sent < 20; sent += 1) await ask(name, 1);
    expect(node.log().split("Connection refused").length - before).toBe(3);
    expect(await unwell(name)).toHaveLength(1);
    await expectPorts(name, []);
  });

  test("failures 0: never", async () => {
    const [closed = 0] = await freePorts(1);
    const good = await startFlapping();
    const name = await route([{ port: closed }, { port: good.port }], { health: { passive: { failures: 0 } } });
    const before = node.log().split("Connection refused").length;
    for (let sent = 0; sent < 12; sent += 1) await ask(name, 1);
    expect(node.log().split("Connection refused").length - before).toBeGreaterThan(3);
    expect(await unwell(name)).toEqual([]);
  });
});

test("a member that is well again gets its share little by little", async () => {
  const [steady, back] = [await startFlapping(), await startFlapping(500)];
  const settings = { slowStart: "3s", health: { active: { type: "http", ...often } } };
  const name = await route([{ port: steady.port }, { port: back.port }], settings);
  await expectPorts(name, [back.port]);
  back.status = 200;
  await expectPorts(name, []);
  const before = [steady.requests(), back.requests()] as const;
  await ask(name, 30);
  expect(back.requests() - before[1]).toBeLessThan((steady.requests() - before[0]) / 2);
  await expect
    .poll(
      async () => {
        const early = [steady.requests(), back.requests()] as const;
        await ask(name, 30);
        return Math.abs(back.requests() - early[1] - (steady.requests() - early[0]));
      },
      { timeout: 10_000, interval: 500 },
    )
    .toBeLessThan(4);
});

test("the worker that asks dies: another goes on", async () => {
  const it = await startFlapping();
  await route([{ port: it.port }], { health: { active: { type: "http", ...often } } });
  await expect.poll(() => it.checks.length, { timeout: 10_000 }).toBeGreaterThan(2);
  for (const { pid } of (await node.state()).workers) {
    const before = it.checks.length;
    process.kill(pid, "SIGKILL");
    await expect
      .poll(
        () =>
          request(node.ports.health, "/health").then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 5_000 },
      )
      .toBe(200);
    await expect.poll(() => it.checks.length, { timeout: 10_000 }).toBeGreaterThan(before + 3);
  }
});
