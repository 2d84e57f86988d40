// Who of a pool's members gets a request, beyond turns: fewest under way, hashes, cookies, and newcomers.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../../harness/backend.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { type RequestOptions, startNode, type TestNode } from "../../harness/node.ts";
import { type Member, pool, rule, slice } from "../values.ts";
import { Authority } from "./authority.ts";

let node: TestNode;
const backends = new Map<string, Backend>();
const NAMES = ["a", "b", "c", "d"];

beforeAll(async () => {
  node = await startNode({ workers: 2 });
  for (const name of NAMES) backends.set(name, await startBackend(name));
});

afterAll(async () => {
  await node?.stop();
  for (const backend of backends.values()) await backend.close();
});

function on(name: string, more: Omit<Member, "port"> = {}): Member {
  return { port: backends.get(name)?.port ?? 0, ...more };
}

let count = 0;
async function route(settings: Readonly<Record<string, unknown>>, members: readonly Member[]): Promise<string> {
  const name = `spread-${count++}`;
  const rejected = await node.apply([
    pool(name, settings),
    slice(name, members),
    rule(`${name}.example`, name, { name }),
  ]);
  if (rejected.length > 0) throw new Error(rejected[0]?.reason);
  return name;
}

async function ask(name: string, options: RequestOptions = {}): Promise<string> {
  const { status, text } = await node.get(`${name}.example`, "/", options);
  return status === 200 ? (JSON.parse(text) as Echo).name : String(status);
}

async function answers(name: string, headers: readonly Readonly<Record<string, string>>[]): Promise<string[]> {
  const found: string[] = [];
  for (const each of headers) found.push(await ask(name, { headers: each }));
  return found;
}

function users(number: number): { "x-user": string }[] {
  return Array.from({ length: number }, (_, user) => ({ "x-user": `user-${user}` }));
}

function times(list: readonly string[], name: string): number {
  return list.filter((it) => it === name).length;
}

const byUser = { balance: "hash", hash: { by: "header", name: "X-User" } };

describe("hash", () => {
  test("one user, one member, on all workers; all members have a share", async () => {
    const name = await route(
      byUser,
      NAMES.slice(0, 3).map((it) => on(it)),
    );
    const first = await answers(name, users(60));
    expect(await answers(name, users(60))).toEqual(first);
    for (const member of ["a", "b", "c"]) expect(times(first, member)).toBeGreaterThan(8);
  });

  test("a member that comes or goes moves nobody else", async () => {
    const name = await route(byUser, [on("a"), on("b"), on("c")]);
    const before = await answers(name, users(80));
    await node.apply([slice(name, [on("a"), on("c"), on("d")])]);
    const after = await answers(name, users(80));
    before.forEach((member, user) => {
      if (member !== "b" && after[user] !== "d") expect(after[user]).toBe(member);
    });
    expect(times(after, "b")).toBe(0);
    expect(times(after, "d")).toBeGreaterThan(8);
  });

  test("weights count", async () => {
    const name = await route(byUser, [on("a", { weight: 6 }), on("b", { weight: 1 })]);
    const found = await answers(name, users(140));
    expect(times(found, "b")).toBeGreaterThan(6);
    expect(times(found, "b")).toBeLessThan(40);
  });

  test("without the header: in turn", async () => {
    const name = await route(byUser, [on("a"), on("b")]);
    const found = await answers(
      name,
      Array.from({ length: 20 }, () => ({})),
    );
    expect(times(found, "a")).toBeGreaterThan(4);
    expect(times(found, "b")).toBeGreaterThan(4);
  });

  test("by a cookie among others, by its exact name", async () => {
    const name = await route(
      { balance: "hash", hash: { by: "cookie", name: "sid" } },
      NAMES.map((it) => on(it)),
    );
    const cookies = Array.from({ length: 30 }, (_, user) => ({ cookie: `a=1; sid=s${user}; SID=${Math.random()}` }));
    const first = await answers(name, cookies);
    expect(await answers(name, cookies)).toEqual(first);
    expect(new Set(first).size).toBe(4);
  });

  test("by the client's address", async () => {
    const name = await route(
      { balance: "hash", hash: { by: "source" } },
      NAMES.map((it) => on(it)),
    );
    expect(new Set(await answers(name, users(12))).size).toBe(1);
  });

  test("who is away leaves his share to others, and costs no answer", async () => {
    const [closed = 0] = await freePorts(1);
    const name = await route(byUser, [on("a"), on("b"), { port: closed }]);
    const found = await answers(name, users(60));
    expect(times(found, "a") + times(found, "b")).toBe(60);
  });

  test("a thousand members", async () => {
    const ports = NAMES.map((it) => on(it).port);
    const members = Array.from({ length: 1000 }, (_, place) => ({
      address: `127.0.${1 + Math.floor(place / 250)}.${1 + (place % 250)}`,
      port: ports[place % 4] ?? 0,
    }));
    const name = await route(byUser, members);
    const began = Date.now();
    expect(await ask(name, { headers: { "x-user": "a" } })).toMatch(/502|[a-d]/);
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});

/** Answers when told to. */
async function startHolding(): Promise<{ port: number; held: () => ServerResponse[]; close: () => void }> {
  const held: ServerResponse[] = [];
  const server: Server = createServer((_, outgoing) => held.push(outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, held: () => held, close };
}

describe("least connections", () => {
  test("who has much to do gets no more, whichever worker it came by", async () => {
    const busy = await startHolding();
    const idle = await startHolding();
    try {
      const name = await route({ balance: "least-connections" }, [{ port: busy.port }, { port: idle.port }]);
      const pending: Promise<unknown>[] = [];
      for (let sent = 1; sent <= 20; sent += 1) {
        pending.push(node.get(`${name}.example`));
        await expect.poll(() => busy.held().length + idle.held().length).toBe(sent);
      }
      expect([busy.held().length, idle.held().length]).toEqual([10, 10]);
      for (const outgoing of idle.held()) outgoing.end("done");
      await expect.poll(() => idle.held().every(({ closed }) => closed)).toBe(true);
      await sleep(50);
      for (let sent = 21; sent <= 28; sent += 1) {
        pending.push(node.get(`${name}.example`));
        await expect.poll(() => busy.held().length + idle.held().length).toBe(sent);
      }
      expect([busy.held().length, idle.held().length]).toEqual([10, 18]);
      for (const outgoing of [...busy.held(), ...idle.held()]) outgoing.end("done");
      await Promise.all(pending);
    } finally {
      busy.close();
      idle.close();
    }
  });

  test("what a client gave up, and what failed, is not under way any more", async () => {
    const first = await startHolding();
    const second = await startHolding();
    const [closed = 0] = await freePorts(1);
    try {
      const members = [{ port: first.port }, { port: second.port }, { port: closed }];
      const name = await route({ balance: "least-connections" }, members);
      const given = await Promise.allSettled(
        Array.from({ length: 12 }, () => node.get(`${name}.example`, "/", { timeoutMs: 300 })),
      );
      expect(given.every(({ status }) => status === "rejected")).toBe(true);
      const before = [first.held().length, second.held().length];
      await expect
        .poll(async () => [...first.held(), ...second.held()].every((it) => it.closed || it.destroyed))
        .toBe(true);
      const pending: Promise<unknown>[] = [];
      for (let sent = 1; sent <= 10; sent += 1) {
        pending.push(node.get(`${name}.example`).catch(() => undefined));
        await expect.poll(() => first.held().length + second.held().length).toBe(12 + sent);
      }
      expect([first.held().length - (before[0] ?? 0), second.held().length - (before[1] ?? 0)]).toEqual([5, 5]);
      for (const outgoing of [...first.held(), ...second.held()]) outgoing.end("done");
      await Promise.all(pending);
    } finally {
      first.close();
      second.close();
    }
  });

  test("what workers from before a reload still have under way counts", async () => {
    const busy = await startHolding();
    const idle = await startHolding();
    const authority = new Authority("a reload's cause");
    try {
      const name = await route({ balance: "least-connections" }, [{ port: busy.port }]);
      const pending = Array.from({ length: 6 }, () => node.get(`${name}.example`));
      await expect.poll(() => busy.held().length).toBe(6);
      const pids = async () => (await node.state()).workers.map(({ pid }) => pid).join();
      const before = await pids();
      await route({ protocol: "https", tls: { verify: true, ca: authority.certificate } }, [on("a")]);
      await expect.poll(pids, { timeout: 15_000 }).not.toBe(before);
      await node.apply([slice(name, [{ port: busy.port }, { port: idle.port }])]);
      for (let sent = 1; sent <= 6; sent += 1) {
        pending.push(node.get(`${name}.example`));
        await expect.poll(() => busy.held().length + idle.held().length).toBe(6 + sent);
      }
      expect([busy.held().length, idle.held().length]).toEqual([6, 6]);
      for (const outgoing of [...busy.held(), ...idle.held()]) outgoing.end("done");
      await Promise.all(pending);
    } finally {
      authority[Symbol.dispose]();
      busy.close();
      idle.close();
    }
  });

  test("what a worker had under way when it died does not count", async () => {
    const busy = await startHolding();
    const idle = await startHolding();
    try {
      const name = await route({ balance: "least-connections" }, [{ port: busy.port }]);
      const lost = Array.from({ length: 8 }, () => node.get(`${name}.example`).catch(() => undefined));
      await expect.poll(() => busy.held().length).toBe(8);
      const { workers } = await node.state();
      for (const { pid } of workers) process.kill(pid, "SIGKILL");
      await Promise.all(lost);
      const alive = async () => (await node.state()).workers.every(({ pid }) => workers.every((it) => it.pid !== pid));
      await expect.poll(() => alive().catch(() => false), { timeout: 10_000 }).toBe(true);
      await node.apply([slice(name, [{ port: busy.port }, { port: idle.port }])]);
      const pending: Promise<unknown>[] = [];
      for (let sent = 1; sent <= 10; sent += 1) {
        pending.push(node.get(`${name}.example`));
        await expect.poll(() => busy.held().length + idle.held().length).toBe(8 + sent);
      }
      expect([busy.held().length, idle.held().length]).toEqual([13, 5]);
      for (const outgoing of [...busy.held(), ...idle.held()]) outgoing.end("done");
      await Promise.all(pending);
    } finally {
      busy.close();
      idle.close();
    }
  });

  test("weights count; equals take turns", async () => {
    const name = await route({ balance: "least-connections" }, [on("a"), on("b"), on("c")]);
    const found = await answers(
      name,
      Array.from({ length: 30 }, () => ({})),
    );
    for (const member of ["a", "b", "c"]) expect(times(found, member)).toBeGreaterThan(6);
    const heavy = await startHolding();
    const light = await startHolding();
    try {
      const other = await route({ balance: "least-connections" }, [
        { port: heavy.port, weight: 3 },
        { port: light.port, weight: 1 },
      ]);
      const pending: Promise<unknown>[] = [];
      for (let sent = 1; sent <= 16; sent += 1) {
        pending.push(node.get(`${other}.example`));
        await expect.poll(() => heavy.held().length + light.held().length).toBe(sent);
      }
      expect([heavy.held().length, light.held().length]).toEqual([12, 4]);
      for (const outgoing of [...heavy.held(), ...light.held()]) outgoing.end();
      await Promise.all(pending);
    } finally {
      heavy.close();
      light.close();
    }
  });
});

describe("affinity", () => {
  const sticky = { affinity: { cookie: "route", maxAge: "1h" } };

  async function begin(name: string): Promise<{ member: string; cookie: string; header: string }> {
    const { headers, text } = await node.get(`${name}.example`);
    const [header = ""] = headers["set-cookie"] ?? [];
    return { member: (JSON.parse(text) as Echo).name, cookie: header.split(";")[0] ?? "", header };
  }

  test("a cookie leads back to the member, says nothing of it, and is set once", async () => {
    const name = await route(
      sticky,
      NAMES.map((it) => on(it)),
    );
    const { member, cookie, header } = await begin(name);
    expect(header).toMatch(/^route=[A-Za-z0-9_-]{20}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(header).not.toContain(String(backends.get(member)?.port));
    for (let index = 0; index < 8; index += 1) {
      const answer = await node.get(`${name}.example`, "/", { headers: { cookie } });
      expect((JSON.parse(answer.text) as Echo).name).toBe(member);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
  });

  test("a cookie that was made up, or is another pool's, counts as none", async () => {
    const name = await route(sticky, [on("a"), on("b")]);
    const other = await route(sticky, [on("a"), on("b")]);
    const { cookie } = await begin(other);
    for (const value of [cookie, "route=AAAAAAAAAAAAAAAAAAAA", "route=", "route=a", `route=${"x".repeat(4000)}`]) {
      const { status, headers } = await node.get(`${name}.example`, "/", { headers: { cookie: value } });
      expect(status).toBe(200);
      expect(headers["set-cookie"]).toHaveLength(1);
    }
  });

  test("draining keeps those it has and gets nobody new; disabled and gone get nobody", async () => {
    const name = await route(sticky, [on("a"), on("b")]);
    const { member, cookie } = await begin(name);
    const other = member === "a" ? "b" : "a";
    await node.apply([slice(name, [on(member, { state: "draining" }), on(other)])]);
    expect(await ask(name, { headers: { cookie } })).toBe(member);
    expect(
      await answers(
        name,
        Array.from({ length: 6 }, () => ({})),
      ),
    ).toEqual(Array(6).fill(other));
    await node.apply([slice(name, [on(member, { state: "disabled" }), on(other)])]);
    const moved = await node.get(`${name}.example`, "/", { headers: { cookie } });
    expect((JSON.parse(moved.text) as Echo).name).toBe(other);
    expect(moved.headers["set-cookie"]).toHaveLength(1);
    await node.apply([slice(name, [on(other)])]);
    expect(await ask(name, { headers: { cookie } })).toBe(other);
  });

  test("only draining ones: whoever has a session goes on", async () => {
    const name = await route(sticky, [on("a"), on("b")]);
    const { member, cookie } = await begin(name);
    await node.apply([slice(name, [on(member, { weight: 0 }), on("c")])]);
    expect(await ask(name, { headers: { cookie } })).toBe(member);
    expect(await ask(name)).toBe("c");
  });

  test("a member that fails: the session moves, once", async () => {
    const [port = 0] = await freePorts(1);
    const doomed = await startBackend("doomed", port);
    const name = await route(sticky, [{ port }, on("a")]);
    let begun = await begin(name);
    while (begun.member !== "doomed") begun = await begin(name);
    await doomed.close();
    const { status, text, headers } = await node.get(`${name}.example`, "/", { headers: { cookie: begun.cookie } });
    expect([status, (JSON.parse(text) as Echo).name]).toEqual([200, "a"]);
    expect(headers["set-cookie"]).toHaveLength(1);
  });

  test("the application's own cookies stay", async () => {
    const server = createServer((_, outgoing) => outgoing.writeHead(200, { "set-cookie": ["x=1", "y=2"] }).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const name = await route({ affinity: { cookie: "route" } }, [{ port: (server.address() as AddressInfo).port }]);
    const { headers } = await node.get(`${name}.example`);
    expect(headers["set-cookie"]?.map((it) => it.split("=")[0])).toEqual(["x", "y", "route"]);
    expect(headers["set-cookie"]?.[2]).not.toContain("Max-Age");
    server.closeAllConnections();
    server.close();
  });

  test("survives a restart of the node", async () => {
    const name = await route(
      sticky,
      NAMES.map((it) => on(it)),
    );
    const { member, cookie } = await begin(name);
    await node.restart();
    for (let index = 0; index < 4; index += 1) expect(await ask(name, { headers: { cookie } })).toBe(member);
  });
});

describe("slow start", () => {
  test("a newcomer gets little at first, then its share; those that were there are not new", async () => {
    const name = await route({ slowStart: "2s" }, [on("a"), on("b")]);
    const nobody = Array.from({ length: 20 }, () => ({}));
    const before = await answers(name, nobody);
    expect(times(before, "a")).toBeGreaterThan(8);
    await node.apply([slice(name, [on("a"), on("b"), on("c")])]);
    const early = await answers(name, nobody);
    expect(times(early, "c")).toBeLessThan(6);
    await sleep(2_100);
    const late = await answers(name, [...nobody, ...nobody, ...nobody]);
    expect(times(late, "c")).toBeGreaterThan(17);
  });

  test("of least connections, too", async () => {
    const name = await route({ balance: "least-connections", slowStart: "2s" }, [on("a")]);
    expect(await ask(name)).toBe("a");
    await node.apply([slice(name, [on("a"), on("b")])]);
    const early = await answers(
      name,
      Array.from({ length: 10 }, () => ({})),
    );
    expect(times(early, "b")).toBeLessThan(3);
    await sleep(2_100);
    const late = await answers(
      name,
      Array.from({ length: 20 }, () => ({})),
    );
    expect(times(late, "b")).toBeGreaterThan(6);
  });
});

test("nothing of it is a fault of the Lua", () => {
  const lines = node
    .log()
    .split("\n")
    .filter((line) => !line.includes("exited on signal 9"));
  expect(lines.join("\n")).not.toMatch(/\[(alert|emerg|crit)\]|attempt to|failed to run/);
});
