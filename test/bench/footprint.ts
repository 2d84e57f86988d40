/** What a node takes: memory of a worker with 40,000 routes, each of them asked for, and time to start with 10,000. */
import { readFileSync } from "node:fs";
import { makeCertificate } from "../harness/certificate.ts";
import { requestTls } from "../harness/https.ts";
import { type Answer, startNode, type TestNode } from "../harness/node.ts";
import { certificate, domain } from "../node/values.ts";
import { Connection } from "./connection.ts";
import { fill, hostOf } from "./routes.ts";
import { startStaticBackend } from "./static-nginx.ts";
import { median, rounded } from "./statistics.ts";
import { childrenOf } from "./worker-time.ts";

const routes = 40_000;
const perConnection = 5_000; // nginx closes one after 10,000 requests
const starts = 5;
const startRoutes = 10_000;
const distinctPairs = 20;

export interface MemoryFigures {
  /** All that is resident: its own, the dictionary, and programs and libraries. */
  readonly routes40000PerWorkerMiB: number;
  /** Its own alone: what a further worker costs. */
  readonly ownMiB: number;
  /** The dictionary's part, which is there once for all workers. */
  readonly dictionaryMiB: number;
}

export async function benchMemory(say: (line: string) => void): Promise<MemoryFigures> {
  const backend = await startStaticBackend();
  const node = await startNode({ workers: 1, memoryMiB: 512 });
  try {
    say(`a node with ${routes} routes, each asked for`);
    await fill(node, routes, backend.port);
    for (let first = 0; first < routes; first += perConnection) {
      const client = await Connection.open(node.ports.http);
      for (let number = first; number < first + perConnection; number += 1) await client.get(hostOf(number));
      client.close();
    }
    const [worker] = childrenOf(node.masterPid);
    const status = readFileSync(`/proc/${worker}/status`, "utf8");
    const mib = (name: string): number =>
      rounded(Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, "m").exec(status)?.[1]) / 1024, 1);
    return { routes40000PerWorkerMiB: mib("VmRSS"), ownMiB: mib("RssAnon"), dictionaryMiB: mib("RssShmem") };
  } finally {
    await node.stop();
    await backend.stop();
  }
}

export interface StartFigures {
  readonly routes10000Seconds: number;
  /** The same with a certificate for each of them, until the first answer by TLS. */
  readonly routes10000WithCertificatesSeconds: number;
}

/** From starting nginx until the first answer of a route. */
export async function benchStart(say: (line: string) => void): Promise<StartFigures> {
  const backend = await startStaticBackend();
  const node = await startNode({ workers: 2, memoryMiB: 256 });
  try {
    await fill(node, startRoutes, backend.port);
    const host = hostOf(startRoutes - 1);
    const routes10000Seconds = await timeStarts(node, () => node.get(host), say);
    say(`${startRoutes} certificates`);
    fillCertificates(node);
    await fill(node, startRoutes, backend.port);
    const byTls = () => requestTls(node.ports.https, host);
    return { routes10000Seconds, routes10000WithCertificatesSeconds: await timeStarts(node, byTls, say) };
  } finally {
    await node.stop();
    await backend.stop();
  }
}

async function timeStarts(node: TestNode, ask: () => Promise<Answer>, say: (line: string) => void): Promise<number> {
  const times: number[] = [];
  for (let start = 1; start <= starts; start += 1) {
    say(`start ${start} of ${starts} with ${startRoutes} routes`);
    await node.halt();
    const begun = performance.now();
    await node.start();
    const { status } = await ask();
    if (status !== 200) throw new Error(`the first answer was ${status}`);
    times.push((performance.now() - begun) / 1000);
  }
  return rounded(median(times));
}

/** A Domain and a Certificate of its own for each host; making a pair takes long, so that a few are stored many times. */
function fillCertificates(node: TestNode): void {
  const kinds = ["rsa:2048", "ec:P-256"] as const;
  const made = Array.from({ length: distinctPairs }, (_, place) => {
    const key = kinds[place % kinds.length];
    return certificate("", makeCertificate([`${place}.example`], key === undefined ? {} : { key })).value;
  });
  for (let number = 0; number < startRoutes; number += 1) {
    const { key, value } = domain(hostOf(number), [`c${number}`]);
    node.sender.set(key, value);
    node.sender.set(`Certificate/shop/c${number}`, made[number % made.length]);
  }
}
