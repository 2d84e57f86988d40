/** One change in 10,000 routes, until a request sees it; and 20,000 resources in one batch, and who waits meanwhile. */
import { type Change, KEY, startNode, type TestNode } from "../harness/node.ts";
import { Connection } from "./connection.ts";
import { startProber } from "./prober.ts";
import { fill, hostOf, membersOf, poolOf, ruleOf } from "./routes.ts";
import { startStaticBackend } from "./static-nginx.ts";
import { median, quantile, rounded } from "./statistics.ts";
import { workerSeconds } from "./worker-time.ts";

const routes = 10_000;
const changes = 500;
const warmUp = 50;
const observers = 8;
const texts = ["first", "second"] as const;
const batches = 5;

export interface UpdateFigures {
  /** From sending the change until a request is answered by it, on a kept connection. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Requests begun after the acknowledgement, on all workers, that were answered by what was before. */
  readonly stale: number;
}

export interface BatchFigures {
  /** Median of a first batch and later ones that change all of it. */
  readonly seconds: number;
  /** The same of the worker's CPU time. */
  readonly secondsOfCpu: number;
  /** Of a request to the only worker, which takes the batch; the median of the batches. */
  readonly longestStallMs: number;
}

export async function benchUpdate(say: (line: string) => void): Promise<UpdateFigures> {
  const backends = [await startStaticBackend(texts[0]), await startStaticBackend(texts[1])] as const;
  const node = await startNode({ workers: 2, memoryMiB: 256 });
  try {
    say(`one change among ${routes} routes`);
    await fill(node, routes, backends[0].port);
    const admin = await Connection.open(node.ports.admin);
    const clients = await Promise.all(Array.from({ length: observers }, () => Connection.open(node.ports.http)));
    const times: number[] = [];
    let stale = 0;
    for (let turn = 0; turn < changes + warmUp; turn += 1) {
      // Every second change takes back the one before.
      const number = ((turn >> 1) * 7919) % routes;
      const side = turn % 2 === 0 ? 1 : 0;
      await Promise.all(clients.map((client) => client.get(hostOf(number))));
      const change = membersOf(number, backends[side].port);
      const start = performance.now();
      await send(node, admin, [change]);
      const [first, ...others] = clients;
      while ((await first?.get(hostOf(number)))?.text !== texts[side]) stale += 1;
      if (turn >= warmUp) times.push(performance.now() - start);
      const answers = await Promise.all(others.map((client) => client.get(hostOf(number))));
      stale += answers.filter(({ text }) => text !== texts[side]).length;
    }
    for (const connection of [admin, ...clients]) connection.close();
    return { medianMs: rounded(median(times)), p99Ms: rounded(quantile(times, 0.99)), stale };
  } finally {
    await node.stop();
    for (const backend of backends) await backend.stop();
  }
}

export async function benchBatch(say: (line: string) => void): Promise<BatchFigures> {
  const backend = await startStaticBackend();
  const node = await startNode({ workers: 1, memoryMiB: 256 });
  try {
    await fill(node, 1, backend.port);
    const admin = await Connection.open(node.ports.admin);
    const seconds: number[] = [];
    const cpu: number[] = [];
    const stalls: number[] = [];
    for (let batch = 1; batch <= batches; batch += 1) {
      say(`20,000 resources at once, batch ${batch} of ${batches}`);
      const body = JSON.stringify(node.sender.changes(pairs(`batch-${batch}`)));
      const prober = await startProber(node.ports.http, hostOf(0));
      const before = workerSeconds(node.masterPid);
      const start = performance.now();
      await post(admin, body);
      cpu.push(workerSeconds(node.masterPid) - before);
      seconds.push((performance.now() - start) / 1000);
      stalls.push(await prober.stop());
    }
    admin.close();
    const longestStallMs = rounded(median(stalls), 1);
    return { seconds: rounded(median(seconds)), secondsOfCpu: rounded(median(cpu)), longestStallMs };
  } finally {
    await node.stop();
    await backend.stop();
  }
}

function pairs(mark: string): Change[] {
  return Array.from({ length: routes }, (_, place) => {
    const { key, value } = poolOf(place + 1);
    return [{ key, value: { ...(value as object), alias: mark } }, ruleOf(place + 1, place + 1, mark)];
  }).flat();
}

function send(node: TestNode, admin: Connection, sent: readonly Change[]): Promise<void> {
  return post(admin, JSON.stringify(node.sender.changes(sent)));
}

async function post(admin: Connection, body: string): Promise<void> {
  const { status, text } = await admin.post("/v2/changes", KEY, body);
  if (status !== 200) throw new Error(`${status} ${text}`);
}
