// Ports for TCP and UDP: who answers there, and how members take turns.
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBackend } from "../../harness/backend.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { request, startNode, type TestNode } from "../../harness/node.ts";
import { datagram, greeting, greetings, hold } from "./client.ts";
import { type Member, tcpMember, udpMember } from "./members.ts";
import { applied, connectionPool, listening, membersOf, service, settled, stateOf, without } from "./values.ts";

let node: TestNode;
let one: Member;
let two: Member;

beforeAll(async () => {
  [one, two] = await Promise.all([tcpMember("one"), tcpMember("two")]);
  node = await startNode();
});
afterAll(() => Promise.all([node.stop(), one.close(), two.close()]));

async function port(): Promise<number> {
  const [free = 0] = await freePorts(1);
  return free;
}

test("a TCP port leads to its pool's members, both ways and with a half-closed end", async () => {
  const free = await port();
  await applied(node, listening("tcp", free, "db", [{ port: one.port }]));
  const held = await hold(free);
  expect(await held.ask("a".repeat(100_000))).toBe(`one\n${"a".repeat(100_000)}`);
  held.socket.destroy();
  expect(await stateOf(node, `VirtualService/tcp/${free}`)).toEqual({ state: "open" });
});

test("a UDP port leads to its pool's members; a session keeps its member and gets any number of answers", async () => {
  const free = await port();
  await using dns = await udpMember("dns");
  await using other = await udpMember("other");
  await applied(node, listening("udp", free, "dns", [{ port: dns.port }, { port: other.port }]));
  expect(await datagram(free, "a+++", 4)).toHaveLength(4);
  const found = new Set((await Promise.all(Array.from({ length: 20 }, () => datagram(free, "b")))).flat());
  expect(found).toEqual(new Set(["dns:b", "other:b"]));
});

test("weights, states and readiness mean what they mean for requests", async () => {
  const free = await port();
  const spread = (members: Parameters<typeof membersOf>[1]) => applied(node, [membersOf("spread", members)]);
  await applied(node, listening("tcp", free, "spread", [{ port: one.port, weight: 3 }, { port: two.port }]));
  const found = await greetings(free, 40);
  expect(found["one"]).toBeGreaterThan(25);
  expect(found["two"]).toBeGreaterThan(5);
  await spread([{ port: one.port, state: "draining" }, { port: two.port }]);
  expect(await greetings(free, 6)).toEqual({ two: 6 });
  await spread([
    { port: one.port, state: "draining" },
    { port: two.port, ready: false },
  ]);
  expect(await greetings(free, 6)).toEqual({ one: 6 });
  await applied(node, [connectionPool("spread", { fallback: "unready" })]);
  expect(await greetings(free, 6)).toEqual({ two: 6 });
  await spread([
    { port: one.port, state: "disabled" },
    { port: two.port, weight: 0 },
  ]);
  expect(await greetings(free, 2)).toEqual({ "": 2 });
});

test("without members a connection is closed at once and a datagram is dropped", async () => {
  const [tcp = 0, udp = 0] = await freePorts(2);
  await applied(node, [...listening("tcp", tcp, "none", []), service("udp", udp, "none")]);
  expect(await greeting(tcp)).toBe("");
  expect(await datagram(udp, "hello", 1, 200)).toEqual([]);
});

test("a member that refuses is passed over", async () => {
  const [free = 0, nobody = 0] = await freePorts(2);
  await applied(node, listening("tcp", free, "half", [{ port: nobody }, { port: two.port }]));
  expect(await greetings(free, 10)).toEqual({ two: 10 });
});

test("by source: one client meets one member", async () => {
  const free = await port();
  const members = [{ port: one.port }, { port: two.port }];
  await applied(node, listening("tcp", free, "sticky", members, { balance: "hash", hash: { by: "source" } }));
  const of = async (address: string) =>
    new Set([await greeting(free, "127.0.0.1", address), await greeting(free, "127.0.0.1", address)]);
  const found = await Promise.all(Array.from({ length: 20 }, (_, place) => of(`127.0.1.${place + 1}`)));
  expect(found.every((names) => names.size === 1)).toBe(true);
  expect(new Set(found.flatMap((names) => [...names])).size).toBe(2);
});

test("to whom has fewest: who holds connections gets fewer new ones", async () => {
  await using single = await startNode({ workers: 1 });
  const free = await port();
  const members = [{ port: one.port }, { port: two.port }];
  await applied(single, listening("tcp", free, "least", members, { balance: "least-connections" }));
  const held = await Promise.all(Array.from({ length: 6 }, () => hold(free)));
  const names = await Promise.all(held.map((each) => each.until((text) => text.includes("\n"))));
  expect(names.filter((name) => name === "one\n")).toHaveLength(3);
  for (const [place, each] of held.entries()) if (names[place] === "one\n") each.socket.destroy();
  await expect.poll(async () => (await greetings(free, 3))["one"], { timeout: 5_000 }).toBe(3);
  for (const each of held) each.socket.destroy();
});

test("a service that is disabled or gone frees its port", async () => {
  const free = await port();
  const on = service("tcp", free, "freed");
  await applied(node, listening("tcp", free, "freed", [{ port: one.port }]));
  expect(await greeting(free)).toBe("one");
  for (const off of [service("tcp", free, "freed", { enabled: false }), without(on)]) {
    await applied(node, [off]);
    await expect(greeting(free)).rejects.toThrow("ECONNREFUSED");
    const mine = createServer().listen(free, "0.0.0.0");
    await new Promise((resolve, reject) => mine.once("listening", resolve).once("error", reject));
    await new Promise((resolve) => mine.close(resolve));
    await applied(node, [on]);
    expect(await greeting(free)).toBe("one");
  }
});

test("addresses: only there; of IPv6, too", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  await applied(node, [
    connectionPool("placed"),
    membersOf("placed", [{ port: one.port }]),
    service("tcp", first, "placed", { addresses: ["127.0.0.2", "::1"] }),
    service("tcp", second, "placed", { addresses: ["0.0.0.0", "127.0.0.1", "::"] }),
  ]);
  expect(await greeting(first, "127.0.0.2")).toBe("one");
  expect(await greeting(first, "::1")).toBe("one");
  await expect(greeting(first, "127.0.0.1")).rejects.toThrow("ECONNREFUSED");
  expect(await greeting(second, "127.0.0.3")).toBe("one");
  expect(await greeting(second, "::1")).toBe("one");
});

test("a pool of requests serves connections, too: its members count as addresses", async () => {
  const free = await port();
  await applied(node, listening("tcp", free, "web", [{ port: one.port }], { protocol: "http" }));
  expect(await greeting(free)).toBe("one");
});

test("what Rainbond sends by v1 is served; a v2 service of the same port goes first", async () => {
  const [free = 0, udp = 0] = await freePorts(2);
  await using dns = await udpMember("dns");
  const send = async (path: string, body: object) => {
    const answer = await node.admin(path, { method: "UPDATE", body: JSON.stringify(body) });
    expect(answer).toMatchObject({ status: 205 });
  };
  const addr = `127.0.0.1:${one.port}`;
  await send("/v1/upstreams/3306.db.t", {
    name: "3306.db.t",
    protocol: "tcp",
    servers: [{ addr, weight: 1, state: "Active" }],
  });
  await send("/v1/servers/t_db_3306.VS", { name: "t_db_3306.VS", protocol: "tcp", port: free, upstream: "3306.db.t" });
  await send("/v1/upstreams/53.dns.t", {
    name: "53.dns.t",
    protocol: "udp",
    servers: [{ addr: `127.0.0.1:${dns.port}` }],
  });
  await send("/v1/servers/t_dns_53.VS", { name: "t_dns_53.VS", protocol: "udp", port: udp, upstream: "53.dns.t" });
  await expect.poll(() => stateOf(node, "servers/udp/t_dns_53.VS"), { timeout: 10_000 }).toEqual({ state: "open" });
  await expect.poll(() => greeting(free).catch(() => "nobody"), { timeout: 10_000 }).toBe("one");
  await expect.poll(() => datagram(udp, "q", 1, 500), { timeout: 10_000 }).toEqual(["dns:q"]);

  await send("/v1/upstreams/3306.db.t", {
    name: "3306.db.t",
    protocol: "tcp",
    servers: [{ addr: `127.0.0.1:${two.port}` }],
  });
  await expect.poll(() => greeting(free), { timeout: 10_000 }).toBe("two");

  await applied(node, listening("tcp", free, "newer", [{ port: one.port }]));
  expect(await greeting(free)).toBe("one");
  const heldBy = `VirtualService/tcp/${free}`;
  expect((await node.state()).shadowedListeners).toEqual([{ v1: "servers/tcp/t_db_3306.VS", heldBy }]);
  await applied(node, [without(service("tcp", free, "newer"))]);
  expect(await greeting(free)).toBe("two");
  await node.admin("/v1/servers/t_db_3306.VS", { method: "DELETE", body: JSON.stringify({ protocol: "tcp" }) });
  await expect.poll(() => greeting(free).catch(() => "nobody"), { timeout: 10_000 }).toBe("nobody");
});

test("listeners that are no ports of connections, and nonsense, are refused with a sentence", async () => {
  const good = { port: 7, protocol: "tcp", addresses: [], pool: "Pool/shop/db/1", enabled: true };
  const cases: readonly [string, unknown, RegExp][] = [
    ["VirtualService/http/80", { ...good, protocol: "http", port: 80 }, /listeners are the node's own/],
    ["VirtualService/https/443", { ...good, protocol: "https", port: 443 }, /listeners are the node's own/],
    ["VirtualService/tls/443", { ...good, protocol: "tls", port: 443 }, /listeners are the node's own/],
    ["VirtualService/sctp/7", { ...good, protocol: "sctp" }, /must be one of tcp, udp/],
    ["VirtualService/tcp/8", good, /those that the key names/],
    ["VirtualService/udp/7", good, /those that the key names/],
    ["VirtualService/tcp/0", { ...good, port: 0 }, /from 1 to 65535/],
    ["VirtualService/tcp/7.5", { ...good, port: 7.5 }, /from 1 to 65535/],
    ["VirtualService/tcp/7", { ...good, port: "7; return" }, /from 1 to 65535/],
    ["VirtualService/tcp/7", { ...good, addresses: ["127.0.0.1; include /etc/passwd"] }, /IPv4 or IPv6 address/],
    ["VirtualService/tcp/7", { ...good, addresses: ["10.0.0.0/8"] }, /IPv4 or IPv6 address/],
    ["VirtualService/tcp/7", { ...good, addresses: ["localhost"] }, /IPv4 or IPv6 address/],
    ["VirtualService/tcp/7", { ...good, addresses: Array.from({ length: 65 }, () => "::1") }, /list of at most 64/],
    ["VirtualService/tcp/7", { ...good, pool: "Pool/shop" }, /key of a Pool/],
    ["VirtualService/tcp/7", { ...good, enabled: "yes" }, /true or false/],
  ];
  const { reloads } = await node.state();
  for (const [key, value, reason] of cases) {
    const rejected = await node.apply([{ key, value }]);
    expect(rejected).toEqual([{ key, reason: expect.stringMatching(reason) as string }]);
    await node.apply([{ key, value: null }]);
  }
  await settled(node);
  expect((await node.state()).reloads).toBe(reloads);
});

test("members that checks find unwell are left out; where nobody is well, all are asked", async () => {
  const free = await port();
  await using web = await startBackend("web");
  const active = { type: "http", interval: "200ms", timeout: "200ms", healthy: 1, unhealthy: 1 };
  const both = [{ port: web.port }, { port: one.port }];
  // One greets before it is asked, which is no HTTP: it is unwell.
  await applied(node, listening("tcp", free, "checked", both, { health: { active } }));
  const answers = async () => {
    const asked = Array.from({ length: 6 }, () => request(free, "/").catch(() => undefined));
    return (await Promise.all(asked)).filter((answer) => answer?.status === 200).length;
  };
  await expect.poll(answers, { timeout: 15_000, interval: 200 }).toBe(6);
  await applied(node, [membersOf("checked", [{ port: one.port }])]);
  expect(await greetings(free, 2)).toEqual({ one: 2 });
});
