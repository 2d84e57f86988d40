/**
 * Requests through the node against nginx's own static proxy under the same load: interleaved runs of wrk, CPU time of
 * the worker beside them, and instructions.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { certificate, domain } from "../node/values.ts";
import { Count, canCount, howToCount } from "./instructions.ts";
import { fill, hostOf } from "./routes.ts";
import { type StaticNginx, startStaticBackend, startStaticProxy } from "./static-nginx.ts";
import { median, ratioOf, rounded } from "./statistics.ts";
import { workerSeconds } from "./worker-time.ts";

const run = promisify(execFile);
const rounds = 7;
const seconds = 2;
const connections = 32;
const many = 10_000;
const patienceMs = 60_000; // under callgrind a start takes ten times as long

/** All ratios: the node's share of what the static proxy does; 1 is as good, less is worse. */
export interface RequestFigures {
  /** Requests per second. */
  readonly ratioToStaticProxy: number;
  readonly spread: readonly [number, number];
  /** Static proxy's CPU time of the worker per request, by the node's. */
  readonly cpuRatio: number;
  /** The same of instructions outside the kernel; null where they can't be counted. */
  readonly instructionsRatio: number | null;
  readonly requestsPerSecond: number;
  readonly microsecondsOfCpu: number;
  readonly instructions: number | null;
}

const loads = {
  routes1: { routes: 1, hosts: [hostOf(0)], isClosing: false, isTls: false },
  routes10000: { routes: many, hosts: [hostOf(many - 1)], isClosing: false, isTls: false },
  randomHosts10000: {
    routes: many,
    hosts: Array.from({ length: many }, (_, number) => hostOf(number)),
    isClosing: false,
    isTls: false,
  },
  tls: { routes: many, hosts: [hostOf(many - 1)], isClosing: false, isTls: true },
  keepaliveOff: { routes: many, hosts: [hostOf(many - 1)], isClosing: true, isTls: false },
} as const;
type LoadName = keyof typeof loads;
type Load = (typeof loads)[LoadName];

interface Contestant {
  readonly address: string;
  readonly pid: number;
}

export async function benchRequests(say: (line: string) => void): Promise<Record<LoadName, RequestFigures>> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-wrk-"));
  const backend = await startStaticBackend();
  const pair = makeCertificate(["*.example"]);
  const proxy = await startStaticProxy(backend.port, [], pair);
  const nodes = new Map<number, TestNode>();
  try {
    for (const routes of [1, many]) {
      say(`a node with ${routes} routes`);
      const node = await startNode({ workers: 1, memoryMiB: 256 });
      nodes.set(routes, node);
      for (const { key, value } of [certificate("bench", pair), domain("*", ["bench"])]) node.sender.set(key, value);
      await fill(node, routes, backend.port);
    }
    const figures: Partial<Record<LoadName, RequestFigures>> = {};
    for (const [name, load] of Object.entries(loads) as [LoadName, Load][]) {
      const node = nodes.get(load.routes);
      if (node === undefined) throw new Error("no node");
      const script = join(directory, `${name}.lua`);
      writeFileSync(script, scriptOf(load));
      const own = { address: addressOf(load, node.ports.http, node.ports.https), pid: node.masterPid };
      const other = { address: addressOf(load, proxy.port, proxy.tlsPort), pid: proxy.pid };
      const timed = await compare(own, other, script, (round) => say(`${name}, round ${round} of ${rounds}`));
      figures[name] = { ...timed, instructionsRatio: null, instructions: null };
    }
    const shares = await countAll(nodes, backend, pair, say);
    for (const [name, counted] of shares) Object.assign(figures[name] ?? {}, counted);
    return figures as Record<LoadName, RequestFigures>;
  } finally {
    for (const node of nodes.values()) await node.stop();
    await proxy.stop();
    await backend.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function addressOf({ isTls }: Load, port: number, tlsPort: number): string {
  return isTls ? `https://127.0.0.1:${tlsPort}/` : `http://127.0.0.1:${port}/`;
}

/** wrk asks for hosts at random, each of them with headers made before. */
function scriptOf(load: Load): string {
  const hosts = load.hosts.map((host) => JSON.stringify(host)).join(", ");
  const close = load.isClosing ? ', Connection = "close"' : "";
  return `local requests = {}
init = function()
  for place, host in ipairs { ${hosts} } do
    requests[place] = wrk.format("GET", "/", { Host = host${close} })
  end
end
request = function()
  return requests[math.random(#requests)]
end
`;
}

type Timed = Omit<RequestFigures, "instructionsRatio" | "instructions">;

/** The first round warms up and does not count; who goes first changes with every round. */
async function compare(
  node: Contestant,
  proxy: Contestant,
  script: string,
  say: (round: number) => void,
): Promise<Timed> {
  const sides = [node, proxy].map((each) => ({ each, rates: [] as number[], cpu: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    if (round > 0) say(round);
    for (const { each, rates, cpu } of round % 2 === 0 ? sides : sides.toReversed()) {
      const { rate, microseconds } = await measure(each, script);
      if (round === 0) continue;
      rates.push(rate);
      cpu.push(microseconds);
    }
  }
  const [own, other] = sides;
  if (own === undefined || other === undefined) throw new Error("two are compared");
  const ratio = ratioOf(own.rates, other.rates);
  return {
    ratioToStaticProxy: ratio.median,
    spread: ratio.spread,
    cpuRatio: ratioOf(other.cpu, own.cpu).median,
    requestsPerSecond: Math.round(median(own.rates)),
    microsecondsOfCpu: rounded(median(own.cpu), 1),
  };
}

async function measure({ address, pid }: Contestant, script: string): Promise<{ rate: number; microseconds: number }> {
  const before = workerSeconds(pid);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, address];
  const { stdout } = await run("wrk", args);
  const used = workerSeconds(pid) - before;
  const requests = Number(/([0-9]+) requests in/.exec(stdout)?.[1]);
  if (/Non-2xx/.test(stdout) || !(requests > 0)) throw new Error(stdout);
  return { rate: requests / seconds, microseconds: (used / requests) * 1e6 };
}

type Counted = Pick<RequestFigures, "instructionsRatio" | "instructions">;

async function countAll(
  nodes: ReadonlyMap<number, TestNode>,
  backend: StaticNginx,
  pair: Pair,
  say: (line: string) => void,
): Promise<Map<LoadName, Counted>> {
  const found = new Map<LoadName, Counted>();
  if (!canCount()) {
    say(howToCount);
    return found;
  }
  for (const [name, load] of Object.entries(loads) as [LoadName, Load][]) {
    say(`${name}, instructions`);
    const count = new Count();
    const proxy = await startStaticProxy(backend.port, count.wrap, pair);
    const own = nodes.get(load.routes);
    await own?.halt();
    const directory = own?.directory ?? "";
    const node = await startNode({
      directory,
      workers: 1,
      memoryMiB: 256,
      wrap: count.wrap,
      readyWithinMs: patienceMs,
    });
    try {
      const reference = await count.perRequest(proxy.pid, load.isTls ? proxy.tlsPort : proxy.port, load);
      const port = load.isTls ? node.ports.https : node.ports.http;
      const instructions = await count.perRequest(node.masterPid, port, load);
      found.set(name, { instructionsRatio: rounded(reference / instructions), instructions: Math.round(instructions) });
    } finally {
      await node.stop();
      await proxy.stop();
      count.close();
    }
  }
  return found;
}
