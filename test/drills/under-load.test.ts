/** Changes of every kind under load, while connections are held: none fails, none is dropped. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";
import { requestTls } from "../harness/https.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { settled } from "../node/l4/values.ts";
import { pool, slice } from "../node/values.ts";
import { report, times } from "./field.ts";
import { changeOf, established, host } from "./load/changes.ts";
import { type Held, holdTcp, holdWebSocket, startEcho } from "./load/held.ts";
import { Wrk } from "./load/wrk.ts";

const held = times(20, 100);

function listener(port: number, name: string) {
  const value = { port, protocol: "tcp", addresses: [], pool: `Pool/shop/${name}/80`, enabled: true };
  return { key: `VirtualService/tcp/${port}`, value };
}

async function hold(node: TestNode, tcp: number): Promise<Held[]> {
  const sockets: Promise<Held>[] = [];
  for (let place = 0; place < held; place += 1) {
    const url = place % 2 === 0 ? `ws://127.0.0.1:${node.ports.http}/` : `wss://127.0.0.1:${node.ports.https}/`;
    sockets.push(holdWebSocket(url, host), holdTcp(tcp));
  }
  return Promise.all(sockets);
}

test("changes of every kind under load fail no request, drop no connection, and need no new worker", {
  timeout: 1_800_000,
}, async () => {
  const changes = times(160, 10_000);
  await using first = await startBackend("first");
  await using second = await startBackend("second");
  const echo = await startEcho();
  await using node = await startNode({ workers: 2, memoryMiB: 64 });
  const [tcp = 0, later = 0] = await freePorts(2);
  const names = [host, "*.example"];
  const parts = {
    ports: [first.port, second.port],
    certificates: [makeCertificate(names), makeCertificate(names, { key: "rsa:2048" })],
  } as const;
  expect(
    await node.apply([
      ...established(parts),
      pool("echo", { protocol: "tcp" }),
      slice("echo", [{ port: echo.port }]),
      listener(tcp, "echo"),
    ]),
  ).toEqual([]);
  await settled(node);
  const connections = await hold(node, tcp);
  const pids = async () => (await node.state()).workers.map(({ pid }) => pid);
  const before = await pids();
  const urls = { http: `http://127.0.0.1:${node.ports.http}/`, https: `https://127.0.0.1:${node.ports.https}/` };

  // By http and https, on kept connections.
  let loads = [new Wrk({ url: urls.http, host }), new Wrk({ url: urls.https, host })];
  const faults: string[] = [];
  for (let number = 0; number < changes; number += 1) {
    for (const { key, reason } of await node.apply(changeOf(number, parts))) faults.push(`${key}: ${reason}`);
    if (number % 40 === 39) {
      const answer = await requestTls(node.ports.https, host);
      if (answer.status !== 200) faults.push(`after change ${number}: ${answer.status}`);
      await connections[number % connections.length]?.talk();
    }
  }
  const kept = await Promise.all(loads.map((load) => load.end()));
  expect(faults).toEqual([]);
  expect(kept.filter(({ failed }) => failed > 0).map(({ said }) => said)).toEqual([]);
  expect(await pids()).toEqual(before);
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|exited on signal/);
  for (const connection of connections) await connection.talk();

  // New ports, and members of ports that are open: on a stock nginx by reloads, which end kept connections in their
  // pauses; so each request has one of its own.
  loads = [new Wrk({ url: urls.http, host, isClosing: true }), new Wrk({ url: urls.https, host, isClosing: true })];
  const ofPorts = Math.max(10, Math.round(changes / 100));
  for (let number = 0; number < ofPorts; number += 1) {
    await node.apply([
      number % 2 === 0 ? listener(later, "echo") : { key: `VirtualService/tcp/${later}`, value: null },
      slice("echo", [{ port: echo.port, weight: 1 + (number % 5) }]),
    ]);
    await sleep(100);
  }
  await node.apply([listener(later, "echo")]);
  await settled(node);
  const closing = await Promise.all(loads.map((load) => load.end()));
  expect(closing.filter(({ failed }) => failed > 0).map(({ said }) => said)).toEqual([]);
  for (const connection of connections) await connection.talk();
  const fresh = await holdTcp(later);
  await fresh.talk();
  for (const connection of [...connections, fresh]) connection.close();
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]|exited on signal/);
  const state = await node.state();
  expect(state.digest).toBe(node.sender.head()["digest"]);
  echo.close();
  report("under load", {
    changes,
    requests: kept.reduce((sum, { requests }) => sum + requests, 0),
    failed: 0,
    held: connections.length,
    dropped: 0,
    "changes of ports": ofPorts,
    "requests meanwhile": closing.reduce((sum, { requests }) => sum + requests, 0),
  });
});
