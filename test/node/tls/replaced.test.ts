// Certificates that change while handshakes are under way and connections are open.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { childrenOf } from "../../bench/worker-time.ts";
import { type Backend, startBackend } from "../../harness/backend.ts";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";

const WORKERS = 4;
const HOSTS = 50;
const hosts = Array.from({ length: HOSTS }, (_, number) => `h${number}.example`);
const pairs: Pair[] = Array.from({ length: 12 }, (_, number) =>
  makeCertificate([`pair-${number}`], number % 3 === 0 ? { key: "rsa:2048" } : {}),
);
let node: TestNode;
let backend: Backend;

beforeAll(async () => {
  backend = await startBackend("web");
  node = await startNode({ workers: WORKERS });
  await node.apply([
    pool("web"),
    slice("web", [{ port: backend.port }]),
    ...hosts.flatMap((host, place) => [
      replaced(place, 0),
      domain(host, [`c${place}`]),
      rule(host, "web", { more: { scheme: "https" } }),
    ]),
  ]);
});
afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit|error)\]/);
  await node.stop();
  await backend.close();
});

function replaced(place: number, turn: number) {
  return certificate(`c${place}`, pairs[(place + turn) % pairs.length] as Pair);
}

async function join(servername: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: node.ports.https, servername, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket;
}

async function presented(host: string): Promise<string> {
  const socket = await join(host);
  const subject = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return subject;
}

function workersMiB(): number {
  const sizes = childrenOf(node.masterPid).map((pid) =>
    Number(/^RssAnon:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
  );
  return Math.max(...sizes) / 1024;
}

test("right after 200 every worker's handshakes present the new one", async () => {
  const wrong: string[] = [];
  for (let turn = 1; turn <= 60; turn += 1) {
    await node.apply([replaced(0, turn)]);
    const subjects = await Promise.all(Array.from({ length: 12 }, () => presented(hosts[0] as string)));
    wrong.push(...subjects.filter((subject) => subject !== `pair-${turn % pairs.length}`));
  }
  expect(wrong).toEqual([]);
});

test("1,000 replaced under handshakes: none fails, none presents another host's, memory stays", async () => {
  let isOver = false;
  let handshakes = 0;
  const faults: unknown[] = [];
  const shake = async (first: number) => {
    for (let number = first; !isOver; number += 7) {
      const place = number % HOSTS;
      try {
        await presented(hosts[place] as string);
        handshakes += 1;
      } catch (error) {
        faults.push(error);
      }
    }
  };
  const shakers = Array.from({ length: 8 }, (_, number) => shake(number));
  const replaceAll = async (first: number, turns: number) => {
    for (let turn = first; turn < first + turns; turn += 1) {
      for (let place = 0; place < HOSTS; place += 10) {
        await node.apply(Array.from({ length: 10 }, (_, more) => replaced(place + more, turn)));
      }
    }
  };
  await replaceAll(1, 5);
  const before = workersMiB();
  await replaceAll(6, 20);
  isOver = true;
  await Promise.all(shakers);
  expect(faults).toEqual([]);
  expect(handshakes).toBeGreaterThan(100);
  expect(workersMiB() - before).toBeLessThan(16);
  for (const [place, host] of hosts.entries()) {
    expect(await presented(host)).toBe(`pair-${(place + 25) % pairs.length}`);
  }
});

test("open connections go on, by what they were opened with", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const host = hosts[1] as string;
  const ask = async () => {
    const outgoing = request({ host: "127.0.0.1", port: node.ports.https, servername: host, agent, headers: { host } });
    outgoing.end();
    const [incoming] = await once(outgoing, "response");
    const port = outgoing.socket?.localPort;
    incoming.resume();
    await once(incoming, "end");
    return { status: incoming.statusCode, port, reused: outgoing.reusedSocket };
  };
  const first = await ask();
  for (let turn = 100; turn < 110; turn += 1) {
    await node.apply([replaced(1, turn)]);
    expect(await ask()).toEqual({ status: 200, port: first.port, reused: true });
  }
  await node.apply([{ key: "Certificate/shop/c1", value: null }]);
  expect(await ask()).toEqual({ status: 200, port: first.port, reused: true });
  agent.destroy();
});

test("of two of one kind the one that ends last is presented", async () => {
  const [short, long] = ["20400101000000Z", "20450101000000Z"].map((until) => makeCertificate([until], { until }));
  await node.apply([
    certificate("short", short as Pair),
    certificate("long", long as Pair),
    domain("two.example", ["long", "short"]),
    domain("owt.example", ["short", "long"]),
  ]);
  expect([await presented("two.example"), await presented("owt.example")]).toEqual([
    "20450101000000Z",
    "20450101000000Z",
  ]);
});
