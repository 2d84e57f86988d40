// Memory stays bounded, however much changes: what is gone is gone from dictionaries, workers and disk, too.
// MEMORY_CHANGES=100000 changes as much as the project promises; every run of the tests a part of that.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";
import { type Change, request, startNode, type TestNode } from "../harness/node.ts";
import { application, certificate, domain, rule } from "./values.ts";

const wanted = Number(process.env["MEMORY_CHANGES"] ?? "12000");
const subjects = 400; // come, change and go, in turn
const perBatch = 60;
const asked = 8; // requests for each batch
const mebibyte = 1024 * 1024;

let backend: Backend;
let node: TestNode;
let l4Port: number;
const pairs = [makeCertificate(["*.churn.example"]), makeCertificate(["*.churn.example"], { key: "rsa:2048" })];

beforeAll(async () => {
  backend = await startBackend("churned");
  [l4Port = 0] = await freePorts(1);
  node = await startNode({ workers: 2, memoryMiB: 64 });
});

afterAll(async () => {
  await node?.stop();
  await backend?.close();
});

const hostOf = (subject: number) => `h${subject}.churn.example`;

/** All that there is of one subject; each round says something else. */
function everyKind(subject: number, round: number): Change[] {
  const [name, host] = [`s${subject}`, hostOf(subject)];
  const pair = pairs[(subject + round) % pairs.length];
  if (pair === undefined) throw new Error("no pair");
  const filters = [
    { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-round", value: String(round) }] } },
  ];
  const regex = rule(host, name, { name, number: 1, type: "regex", path: `/r${round}/[a-z]{1,${1 + (round % 9)}}` });
  const rich = rule(host, name, { name, number: 2, path: "/rich", more: { filters } });
  return [
    ...application(host, name, [{ port: backend.port, weight: 1 + (round % 5) }]),
    regex,
    rich,
    certificate(name, pair),
    domain(host, [name]),
    // Bad values are kept with their reason; they must go, too.
    { key: `Rule/${host}/Ingress/shop/${name}/3`, value: { nonsense: `${round}`.repeat(100) } },
  ];
}

const gone = (changes: readonly Change[]): Change[] => changes.map(({ key }) => ({ key, value: null }));

async function v1(method: string, path: string, body: unknown): Promise<void> {
  const answer = await request(node.ports.admin, path, { method, body: JSON.stringify(body) });
  if (answer.status !== 205) throw new Error(answer.text);
}

/** v1's own, every protocol in turn. */
async function v1Turn(round: number): Promise<number> {
  const name = `v1-${round % 50}`;
  const servers = [{ addr: `127.0.0.1:${backend.port} weight=${1 + (round % 4)}` }];
  await v1("UPDATE", `/v1/upstreams/${name}`, { name, servers, protocol: "http" });
  const [pair] = pairs;
  const more = round % 2 === 0 ? { protocol: "http" } : { protocol: "https", cert: pair?.chain, key: pair?.key };
  const server = { name, domain: `${name}.v1.example`, path: "/", upstream: name, ...more };
  await v1("UPDATE", `/v1/servers/${name}`, server);
  await node.get(`${name}.v1.example`);
  if (round % 3 !== 0) return 2;
  await v1("DELETE", `/v1/servers/${name}`, { protocol: more.protocol });
  await v1("DELETE", `/v1/upstreams/${name}`, { protocol: "http" });
  return 4;
}

interface Size {
  readonly workersMiB: number;
  readonly freeMiB: number;
  readonly diskMiB: number;
}

/** Memory of the workers' own, the largest; what is free in the state's dictionary; what lies in the state's folder. */
async function measure(): Promise<Size> {
  const { workers } = await node.state();
  const own = workers.map(({ pid }) =>
    Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
  );
  const { text } = await request(node.ports.health, "/metrics");
  const free = Number(/entrance_node_state_free_bytes (\d+)/.exec(text)?.[1]);
  const folder = join(node.directory, "state");
  const disk = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return { workersMiB: Math.max(...own) / 1024, freeMiB: free / mebibyte, diskMiB: disk / mebibyte };
}

test(`${wanted} changes of every kind leave nothing behind`, { timeout: 30_000 + wanted * 10 }, async () => {
  const empty = await measure();
  const sizes: Size[] = [];
  let done = 0;
  let batch: Change[] = [];
  const send = async () => {
    await node.apply(batch);
    done += batch.length;
    batch = [];
  };
  for (let round = 0; done < wanted; round++) {
    for (let subject = 0; subject < subjects && done < wanted; subject++) {
      const changes = everyKind(subject, round);
      // Some go and come back in one batch, some change, all go after their third round.
      batch.push(...(round % 3 === 2 ? gone(changes) : changes));
      if (batch.length < perBatch) continue;
      await send();
      for (let ask = 0; ask < asked; ask++) {
        const path = ask % 2 === 0 ? "/" : "/rich";
        await node.get(hostOf(Math.max(0, subject - ask)), path);
        await node.get(`unknown-${round}-${subject}-${ask}.example`);
      }
      done += await v1Turn(round * subjects + subject);
    }
    // A port for connections reloads nginx on a stock one: now and then is enough.
    const [port] = application("tcp.example", "tcp", [{ port: backend.port }]);
    if (port === undefined) throw new Error("no pool");
    const tcp: Change[] = [
      { ...port, value: { protocol: "tcp", balance: "round-robin" } },
      {
        key: `VirtualService/tcp/${l4Port}`,
        value: { port: l4Port, protocol: "tcp", addresses: [], pool: port.key, enabled: true },
      },
    ];
    batch.push(...(round % 2 === 0 ? tcp : gone(tcp)));
    await send();
    // A reload may be under way, and a worker be gone before it is looked at.
    sizes.push(await vi.waitFor(measure, { timeout: 10_000 }));
  }
  batch = gone([...node.sender.values.keys()].map((key) => ({ key, value: null })));
  await send();
  for (let index = 0; index < 50; index++) {
    for (const protocol of ["http", "https"]) await v1("DELETE", `/v1/servers/v1-${index}`, { protocol });
    await v1("DELETE", `/v1/upstreams/v1-${index}`, { protocol: "http" });
  }
  const { counts, v1: left, rejectedCount } = await node.state();
  expect({ counts, left, rejectedCount }).toEqual({ counts: {}, left: 0, rejectedCount: 0 });
  const last = await vi.waitFor(measure, { timeout: 10_000 });
  // Pages that are partly used don't count as free.
  expect(empty.freeMiB - last.freeMiB).toBeLessThan(2);
  // LuaJIT frees as it goes: what came after the first third is no more than what lay around then.
  const early = sizes.slice(0, Math.max(1, Math.floor(sizes.length / 3))).map(({ workersMiB }) => workersMiB);
  const late = sizes.slice(-Math.max(1, Math.floor(sizes.length / 3))).map(({ workersMiB }) => workersMiB);
  expect(Math.max(...late)).toBeLessThan(Math.max(...early) + 24);
  expect(Math.max(...sizes.map(({ diskMiB }) => diskMiB))).toBeLessThan(64);
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit)\]/);
});
