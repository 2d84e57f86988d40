// What a reload costs: nothing that is open is cut, changes are gathered, requests cause none, crashes lose none.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBackend } from "../../harness/backend.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { startNode } from "../../harness/node.ts";
import { application, slice } from "../values.ts";
import { greeting, greetings, hold } from "./client.ts";
import { type Member, tcpMember } from "./members.ts";
import { applied, listening, membersOf, service, settled, stateOf } from "./values.ts";

let one: Member;
let two: Member;

beforeAll(async () => {
  [one, two] = await Promise.all([tcpMember("one"), tcpMember("two")]);
});
afterAll(() => Promise.all([one.close(), two.close()]));

test("100 held connections live through reloads, and new ones are never refused", async () => {
  await using node = await startNode();
  const ports = await freePorts(6);
  const [first = 0, ...later] = ports;
  await applied(node, listening("tcp", first, "db", [{ port: one.port }]));
  const held = await Promise.all(Array.from({ length: 100 }, () => hold(first)));
  let isOver = false;
  const failures: string[] = [];
  let met = 0;
  const knock = async () => {
    while (!isOver) {
      const name = await greeting(first).catch((error: unknown) => String(error));
      if (name === "one" || name === "two") met += 1;
      else failures.push(name);
    }
  };
  const knocking = [knock(), knock()];
  for (const [round, port] of later.entries()) {
    await applied(node, [
      service("tcp", port, "db"),
      membersOf("db", [{ port: round % 2 === 0 ? two.port : one.port }]),
    ]);
  }
  isOver = true;
  await Promise.all(knocking);
  expect(failures).toEqual([]);
  expect(met).toBeGreaterThan(100);
  for (const each of held) expect(await each.ask("still here")).toBe("one\nstill here");
  expect((await node.state()).reloads).toBe(6);
  // What was written for workers that are gone is gone, too.
  const generations = readdirSync(join(node.directory, "conf/generated"));
  expect(generations.sort()).toEqual(["0", "6", "current"]);
  for (const each of held) each.socket.destroy();
});

test("a reload that nothing generated asked for keeps the members of now", async () => {
  await using node = await startNode();
  const [port = 0] = await freePorts(1);
  await applied(node, listening("tcp", port, "db", [{ port: one.port }]));
  await applied(node, [membersOf("db", [{ port: two.port }])]);
  const pids = async () => new Set((await node.state()).workers.map(({ pid }) => pid));
  const before = await pids();
  process.kill(node.masterPid, "SIGHUP");
  await expect.poll(async () => before.isDisjointFrom(await pids()), { timeout: 10_000 }).toBe(true);
  expect(await greetings(port, 6)).toEqual({ two: 6 });
});

test("100 changes make few reloads, and the last one counts", async () => {
  await using node = await startNode();
  const [port = 0] = await freePorts(1);
  await applied(node, listening("tcp", port, "db", [{ port: one.port }]));
  const began = Date.now();
  for (let round = 1; round <= 100; round++) {
    await node.apply([membersOf("db", [{ port: one.port, weight: round + 1 }, { port: two.port }])]);
  }
  await node.apply([membersOf("db", [{ port: two.port }])]);
  await settled(node);
  const { reloads } = await node.state();
  expect(reloads).toBeLessThanOrEqual(3 + (Date.now() - began) / 1_000);
  expect(await greetings(port, 5)).toEqual({ two: 5 });
});

test("without ports, and for all that requests need, nothing ever reloads", async () => {
  await using node = await startNode();
  await using backend = await startBackend("web");
  await applied(node, application("web.example", "web", [{ port: backend.port }]));
  const [port = 0] = await freePorts(1);
  const before = await node.state();
  expect(before.reloads).toBe(0);
  await applied(node, listening("tcp", port, "db", [{ port: one.port }]));
  const pids = (await node.state()).workers.map(({ pid }) => pid);
  for (let round = 0; round < 20; round++) {
    await node.apply(application(`web${round}.example`, `web${round}`, [{ port: backend.port }]));
    await node.apply([slice("web", [{ port: backend.port, weight: round + 1 }])]);
    await node.apply([{ key: `Domain/web${round}.example`, value: { tenant: "shop", certificates: [] } }]);
  }
  // What leaves a port as it is does so, too.
  await node.apply([
    service("tcp", port, "db"),
    ...listening("tcp", port, "db", [{ port: one.port }], { alias: "new" }),
  ]);
  await settled(node);
  const after = await node.state();
  expect(after.reloads).toBe(1);
  expect(after.workers.map(({ pid }) => pid)).toEqual(pids);
});

test("killed between the answer and the reload: after the start it is made good", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  await using node = await startNode();
  await applied(node, listening("tcp", first, "db", [{ port: one.port }]));
  await node.apply([service("tcp", second, "db")]);
  await node.kill9();
  await node.start();
  await settled(node);
  expect(await greetings(first, 2)).toEqual({ one: 2 });
  expect(await greetings(second, 2)).toEqual({ one: 2 });
});

test("a worker that dies while it reloads leaves it to another", async () => {
  await using node = await startNode();
  const [first = 0, second = 0] = await freePorts(2);
  await applied(node, listening("tcp", first, "db", [{ port: one.port }]));
  await node.apply([service("tcp", second, "db")]);
  for (const { pid } of (await node.state()).workers) process.kill(pid, "SIGKILL");
  await expect.poll(() => greeting(second).catch(() => ""), { timeout: 20_000 }).toBe("one");
});

test("a restart with a port that is busy by now starts, and tells", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  await using node = await startNode();
  await applied(node, [...listening("tcp", first, "db", [{ port: one.port }]), service("tcp", second, "db")]);
  await node.halt();
  await using squatter = await tcpMember("squatter", first);
  expect(squatter.port).toBe(first);
  await node.start();
  await settled(node);
  expect(await greetings(second, 2)).toEqual({ one: 2 });
  expect(await stateOf(node, `VirtualService/tcp/${first}`)).toMatchObject({ state: "failed" });
});

/** Free ones below those that the kernel gives to connections: of so many, one would soon be somebody's. */
async function quietPorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 12_000; found.length < count; port += 1) {
    const server = createServer();
    server.listen(port, "0.0.0.0");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    found.push(port);
    server.close();
    await once(server, "close");
  }
  return found;
}

test("500 ports at once, and one more", async () => {
  await using node = await startNode();
  const ports = await quietPorts(501);
  const [last = 0, ...others] = ports;
  await applied(node, [
    ...listening("tcp", others[0] ?? 0, "db", [{ port: one.port }]),
    ...others.map((port) => service("tcp", port, "db")),
  ]);
  for (const port of [others[0] ?? 0, others[250] ?? 0, others[499] ?? 0]) expect(await greeting(port)).toBe("one");
  await applied(node, [service("tcp", last, "db")]);
  expect(await greeting(last)).toBe("one");
  const state = await node.state();
  expect([state.listenerCount, state.listenersFailed, state.reloads]).toEqual([501, 0, 2]);
  expect(state.listeners).toHaveLength(200);
});
