// Ports that can't be had: found before nginx is asked for them, told with a reason, tried again, and nobody else's harm.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePorts } from "../../harness/free-ports.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { datagram, greeting, hold } from "./client.ts";
import { type Member, tcpMember, udpMember } from "./members.ts";
import { applied, connectionPool, listening, membersOf, service, stateOf } from "./values.ts";

let node: TestNode;
let one: Member;

beforeAll(async () => {
  one = await tcpMember("one");
  node = await startNode();
});
afterAll(() => Promise.all([node.stop(), one.close()]));

async function squat(port: number): Promise<Server> {
  const server = createServer((socket) => socket.end("squatter\n"));
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return server;
}

async function leave(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

test("a busy port is told; others open; it opens once it is free, and a freed one is found again", async () => {
  const [busy = 0, free = 0, udp = 0] = await freePorts(3);
  const squatter = await squat(busy);
  const datagrams = createSocket("udp4").bind(udp, "0.0.0.0");
  await once(datagrams, "listening");
  await using dns = await udpMember("dns");
  await applied(node, [
    ...listening("tcp", busy, "db", [{ port: one.port }]),
    service("tcp", free, "db"),
    ...listening("udp", udp, "dns", [{ port: dns.port }]),
  ]);
  expect(await greeting(free)).toBe("one");
  expect(await greeting(busy)).toBe("squatter");
  const reason = `another program has 0.0.0.0:${busy}: end it, or use another port`;
  expect(await stateOf(node, `VirtualService/tcp/${busy}`)).toEqual({ state: "failed", reason });
  expect(await stateOf(node, `VirtualService/udp/${udp}`)).toMatchObject({ state: "failed" });
  expect(await stateOf(node, `VirtualService/tcp/${free}`)).toEqual({ state: "open" });
  expect((await node.state()).listenersFailed).toBe(2);

  await leave(squatter);
  datagrams.close();
  await expect.poll(() => greeting(busy).catch(() => ""), { timeout: 15_000 }).toBe("one");
  await expect.poll(() => datagram(udp, "q", 1, 300).catch(() => []), { timeout: 15_000 }).toEqual(["dns:q"]);
  await expect.poll(async () => (await node.state()).listenersFailed).toBe(0);
});

test("a port that a connection of this machine has, among those that Linux takes for them", async () => {
  const [first, last] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/);
  const connection = connect(node.ports.http, "127.0.0.1");
  await once(connection, "connect");
  const { localPort: port = 0 } = connection;
  const key = `VirtualService/tcp/${port}`;
  await applied(node, [...listening("tcp", port, "db", [{ port: one.port }]), service("tcp", port, "db")]);
  const reason =
    `0.0.0.0:${port} is taken, by another program or by a connection that this machine opened, which has ports ` +
    `${first} to ${last} for them: end the program, or add the port to net.ipv4.ip_local_reserved_ports of the ` +
    "machine, or use another port";
  expect(await stateOf(node, key)).toEqual({ state: "failed", reason });
  connection.destroy();
  await node.apply([{ key, value: null }]);
});

test("the node's own ports are refused for that service alone; for UDP they are free", async () => {
  const [free = 0] = await freePorts(1);
  const own = Object.values(node.ports);
  await using dns = await udpMember("dns");
  await applied(node, [
    connectionPool("own"),
    membersOf("own", [{ port: one.port }]),
    ...own.map((port) => service("tcp", port, "own")),
    service("tcp", free, "own"),
    ...listening("udp", node.ports.http, "dns", [{ port: dns.port }]),
  ]);
  for (const port of own) {
    const reason = `port ${port} is the node's own: use another`;
    expect(await stateOf(node, `VirtualService/tcp/${port}`)).toEqual({ state: "failed", reason });
  }
  expect(await greeting(free)).toBe("one");
  expect(await datagram(node.ports.http, "q")).toEqual(["dns:q"]);
  expect((await node.get("nobody.example")).status).toBe(404);
  await node.apply(own.map((port) => ({ key: `VirtualService/tcp/${port}`, value: null })));
});

test("an address that this machine has not", async () => {
  const [free = 0] = await freePorts(1);
  const key = `VirtualService/tcp/${free}`;
  await applied(node, [
    ...listening("tcp", free, "far", [{ port: one.port }]),
    service("tcp", free, "far", { addresses: ["127.0.0.1", "203.0.113.7"] }),
  ]);
  const reason = `no interface of this machine has the address of 203.0.113.7:${free}`;
  expect(await stateOf(node, key)).toEqual({ state: "failed", reason });
  await expect(greeting(free)).rejects.toThrow("ECONNREFUSED");
  await node.apply([{ key, value: null }]);
});

test("a port below 1024, for a node that may not", async () => {
  const isRoot = process.getuid?.() === 0;
  const wrap = isRoot ? ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "--"] : [];
  await using bound = await startNode({ wrap });
  const changes = [...listening("tcp", 83, "low", [{ port: one.port }]), service("tcp", 83, "low")];
  await applied(bound, changes);
  const reason = "the node may not open 0.0.0.0:83: ports below 1024 need CAP_NET_BIND_SERVICE";
  expect(await stateOf(bound, "VirtualService/tcp/83")).toEqual({ state: "failed", reason });
});

test("a port that somebody took after it was tried: nginx keeps what it has, the rest opens without it", async () => {
  await using raced = await startNode();
  const [kept = 0, lost = 0, won = 0] = await freePorts(3);
  await applied(raced, listening("tcp", kept, "db", [{ port: one.port }]));
  const held = await hold(kept);
  process.kill(raced.masterPid, "SIGSTOP");
  try {
    await raced.apply([service("tcp", lost, "db"), service("tcp", won, "db")]);
    // Tried, written and asked for; nginx does not hear it yet.
    await expect.poll(async () => (await raced.state()).reloads, { timeout: 5_000 }).toBe(2);
  } catch (error) {
    process.kill(raced.masterPid, "SIGCONT");
    throw error;
  }
  const squatter = await squat(lost);
  process.kill(raced.masterPid, "SIGCONT");
  await expect.poll(() => greeting(won).catch(() => ""), { timeout: 30_000, interval: 200 }).toBe("one");
  expect(raced.log()).toContain("nginx did not take generation 2");
  expect(await stateOf(raced, `VirtualService/tcp/${lost}`)).toMatchObject({ state: "failed" });
  expect(await greeting(kept)).toBe("one");
  expect(await held.ask("still")).toContain("still");
  await leave(squatter);
  await expect.poll(() => greeting(lost).catch(() => ""), { timeout: 15_000, interval: 200 }).toBe("one");
  held.socket.destroy();
});

// Only root can give its workers to somebody else.
test.runIf(process.getuid?.() === 0)("workers that may not signal the master say what to change", async () => {
  const directory = mkdtempSync(join(tmpdir(), "entrance-node-"));
  const nobody = 65_534;
  chmodSync(directory, 0o755);
  chownSync(directory, nobody, nobody);
  const [http = 0, https = 0, admin = 0, health = 0, waiting = 0, free = 0] = await freePorts(6);
  const ports = { http, https, admin, health, waiting };
  const foreign = await startNode({ directory, ports });
  try {
    await foreign.apply(listening("tcp", free, "db", [{ port: one.port }]));
    await expect.poll(async () => (await foreign.state()).l4Problem).toMatch(/run master and workers as one user/);
    expect((await foreign.state()).reloads).toBe(0);
    const reason = expect.stringMatching(/CAP_NET_BIND_SERVICE/) as string;
    expect(await stateOf(foreign, `VirtualService/tcp/${free}`)).toEqual({ state: "failed", reason });
    await expect(greeting(free)).rejects.toThrow("ECONNREFUSED");
    expect((await foreign.get("nobody.example")).status).toBe(404);
  } finally {
    await foreign.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
