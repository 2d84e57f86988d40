/** Connections and datagrams through the node against nginx's own static proxy of them, interleaved. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "../harness/free-ports.ts";
import { startNode } from "../harness/node.ts";
import { listening, service } from "../node/l4/values.ts";
import { datagramsPerSecond } from "./datagrams.ts";
import { startStaticBackend } from "./static-nginx.ts";
import { startDatagramBackend, startStreamProxy } from "./static-stream.ts";
import { median, quantile, type Ratio, ratioOf, rounded } from "./statistics.ts";
import { workerSeconds } from "./worker-time.ts";

const run = promisify(execFile);
const rounds = 7;
const seconds = 2;
const connections = 32;
const updates = 30;
const portsBeside = 200;

interface Load {
  /** By rate: the node's share of what the static proxy does in the same time; 1 is as good, less is worse. */
  readonly ratio: Ratio;
  /** The same by CPU time of the worker, which other work on the machine does not touch. */
  readonly cpuRatio: number;
}

export interface L4Figures {
  /** Requests on kept connections. */
  readonly tcpRatio: number;
  readonly tcpSpread: Ratio["spread"];
  readonly tcpCpuRatio: number;
  /** A connection for each request. */
  readonly tcpConnectRatio: number;
  readonly tcpConnectSpread: Ratio["spread"];
  readonly tcpConnectCpuRatio: number;
  readonly udpRatio: number;
  readonly udpSpread: Ratio["spread"];
  readonly udpCpuRatio: number;
  /** From the answer to a change of members until all workers have it. */
  readonly updateMs: number;
  readonly updateP99Ms: number;
  readonly reloads: number;
}

interface Contestant {
  readonly tcp: number;
  readonly udp: number;
  readonly pid: number;
}

async function requestsPerSecond(port: number, isClosing: boolean): Promise<number> {
  const more = isClosing ? ["-H", "Connection: close"] : [];
  const { stdout } = await run("wrk", [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    ...more,
    `http://127.0.0.1:${port}/`,
  ]);
  const requests = Number(/([0-9]+) requests in/.exec(stdout)?.[1]);
  if (/Non-2xx/.test(stdout) || !(requests > 0)) throw new Error(stdout);
  return requests / seconds;
}

/** The first round warms up and does not count; who goes first changes with every round. */
async function compare(
  measure: (of: Contestant) => Promise<number>,
  contestants: readonly Contestant[],
): Promise<Load> {
  const sides = contestants.map((each) => ({ each, rates: [] as number[], cpu: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { each, rates, cpu } of round % 2 === 0 ? sides : sides.toReversed()) {
      const before = workerSeconds(each.pid);
      const rate = await measure(each);
      if (round === 0) continue;
      rates.push(rate);
      cpu.push((workerSeconds(each.pid) - before) / (rate * seconds));
    }
  }
  const [own, other] = sides;
  if (own === undefined || other === undefined) throw new Error("two are compared");
  return { ratio: ratioOf(own.rates, other.rates), cpuRatio: ratioOf(other.cpu, own.cpu).median };
}

export async function benchL4(say: (line: string) => void): Promise<L4Figures> {
  const [backend, datagrams] = await Promise.all([startStaticBackend(), startDatagramBackend()]);
  const proxy = await startStreamProxy({ tcp: backend.port, udp: datagrams.udp });
  const node = await startNode({ workers: 1 });
  const settled = async () => {
    while ((await node.state()).l4Revision < node.sender.revision) await sleep(1);
  };
  try {
    const [tcp = 0, udp = 0, ...beside] = await freePorts(2 + portsBeside);
    await node.apply([
      ...listening("tcp", tcp, "web", [{ port: backend.port }]),
      ...listening("udp", udp, "dns", [{ port: datagrams.udp }]),
      ...beside.map((port) => service("tcp", port, "web")),
    ]);
    await settled();
    const both = [{ tcp, udp, pid: node.masterPid }, proxy];
    say("connections that are kept");
    const kept = await compare((each) => requestsPerSecond(each.tcp, false), both);
    say("connections for one request each");
    const connect = await compare((each) => requestsPerSecond(each.tcp, true), both);
    say("datagrams");
    const answered = await compare((each) => datagramsPerSecond(each.udp, seconds), both);
    say("changes of members");
    const before = (await node.state()).reloads;
    const times: number[] = [];
    for (let round = 1; round <= updates; round += 1) {
      await node.apply(listening("tcp", tcp, "web", [{ port: backend.port, weight: round + 1 }]));
      const began = performance.now();
      await settled();
      times.push(performance.now() - began);
      await sleep(1_000);
    }
    return {
      tcpRatio: kept.ratio.median,
      tcpSpread: kept.ratio.spread,
      tcpCpuRatio: kept.cpuRatio,
      tcpConnectRatio: connect.ratio.median,
      tcpConnectSpread: connect.ratio.spread,
      tcpConnectCpuRatio: connect.cpuRatio,
      udpRatio: answered.ratio.median,
      udpSpread: answered.ratio.spread,
      udpCpuRatio: answered.cpuRatio,
      updateMs: rounded(median(times), 1),
      updateP99Ms: rounded(quantile(times, 0.99), 1),
      reloads: (await node.state()).reloads - before,
    };
  } finally {
    await node.stop();
    await Promise.all([proxy.stop(), backend.stop(), datagrams.stop()]);
  }
}
