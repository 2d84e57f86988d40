/** Requests through the node with 1 and with 10,000 routes, against nginx's own static proxy: interleaved runs of wrk. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startNode, type TestNode } from "../harness/node.ts";
import { startStaticBackend, startStaticProxy } from "./static-nginx.ts";
import { median, type Ratio, ratioOf, rounded } from "./statistics.ts";
import { workerSeconds } from "./worker-time.ts";

const run = promisify(execFile);
const rounds = 9;
const seconds = 2;
const connections = 32;

export interface RequestFigures {
  readonly requestsPerSecond: number;
  readonly ratioToStaticProxy?: Ratio;
  readonly microsecondsOfCpu: number;
  readonly cpuRatio?: Ratio;
}

interface Contestant {
  readonly name: "static" | "routes1" | "routes10000";
  readonly port: number;
  readonly pid: number;
  readonly host: string;
  readonly rates: number[];
  readonly cpu: number[];
}

export async function benchRequests(say: (line: string) => void): Promise<Record<string, RequestFigures>> {
  const backend = await startStaticBackend();
  const proxy = await startStaticProxy(backend.port);
  const nodes: TestNode[] = [];
  try {
    const contestants: Contestant[] = [contestant("static", proxy.port, proxy.pid, "h0.example")];
    for (const [name, routes] of [
      ["routes1", 1],
      ["routes10000", 10_000],
    ] as const) {
      say(`a node with ${routes} routes`);
      const node = await startNode({ workers: 1, memoryMiB: 256 });
      nodes.push(node);
      await fill(node, routes, backend.port);
      contestants.push(contestant(name, node.ports.http, node.masterPid, `h${routes - 1}.example`));
    }
    for (let round = 0; round <= rounds; round += 1) {
      if (round > 0) say(`round ${round} of ${rounds}`);
      for (let turn = 0; turn < contestants.length; turn += 1) {
        const each = contestants[(turn + round) % contestants.length];
        if (each !== undefined) await measure(each, round > 0);
      }
    }
    const [reference] = contestants;
    return Object.fromEntries(contestants.map((each) => [each.name, figuresOf(each, reference)]));
  } finally {
    for (const node of nodes) await node.stop();
    await proxy.stop();
    await backend.stop();
  }
}

function contestant(name: Contestant["name"], port: number, pid: number, host: string): Contestant {
  return { name, port, pid, host, rates: [], cpu: [] };
}

/** The first round warms up and does not count. */
async function measure(each: Contestant, counts: boolean): Promise<void> {
  const before = workerSeconds(each.pid);
  const url = `http://127.0.0.1:${each.port}/`;
  const { stdout } = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-H", `Host: ${each.host}`, url]);
  const used = workerSeconds(each.pid) - before;
  const requests = Number(/([0-9]+) requests in/.exec(stdout)?.[1]);
  if (/Non-2xx/.test(stdout) || !(requests > 0)) throw new Error(`${each.name}: ${stdout}`);
  if (!counts) return;
  each.rates.push(requests / seconds);
  each.cpu.push((used / requests) * 1e6);
}

function figuresOf(each: Contestant, reference: Contestant | undefined): RequestFigures {
  const own = { requestsPerSecond: Math.round(median(each.rates)), microsecondsOfCpu: rounded(median(each.cpu), 1) };
  if (reference === undefined || reference === each) return own;
  return {
    ...own,
    ratioToStaticProxy: ratioOf(each.rates, reference.rates),
    cpuRatio: ratioOf(each.cpu, reference.cpu),
  };
}

async function fill(node: TestNode, routes: number, port: number): Promise<void> {
  const member = { address: "127.0.0.1", port, weight: 1, state: "active", ready: true };
  for (let number = 0; number < routes; number += 1) {
    const pool = `Pool/bench/s${number}/80`;
    const owner = { kind: "Ingress", namespace: "bench", name: `i${number}`, created: "2026-11-22T10:00:00Z" };
    node.sender.set(pool, { protocol: "http", balance: "round-robin", alias: "" });
    node.sender.set(`Node/bench/s${number}/80/a`, { members: [member] });
    node.sender.set(`Rule/h${number}.example/Ingress/bench/i${number}/0`, {
      domain: `h${number}.example`,
      scheme: "http",
      owner,
      tenant: "bench",
      listeners: [],
      matches: { path: { type: "prefix", value: "/" } },
      filters: [],
      pools: [{ pool, weight: 1 }],
    });
  }
  node.sender.revision = 1;
  const answer = await node.put(node.sender.snapshot());
  if (answer.status !== 200) throw new Error(`the node refused its routes: ${answer.text}`);
}
