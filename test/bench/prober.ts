/** A thread of its own that asks one host again and again on one connection, and tells the longest wait for an answer. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { Connection } from "./connection.ts";

const pauseMs = 0.5;
const warmUp = 50; // the first requests find nothing warm

export interface Prober {
  /** The longest wait in milliseconds. */
  stop(): Promise<number>;
}

export async function startProber(port: number, host: string): Promise<Prober> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { port, host } });
  const told = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
    });
  await told();
  return {
    async stop() {
      const longest = told();
      thread.postMessage("stop");
      const found = Number(await longest);
      await thread.terminate();
      return found;
    },
  };
}

async function probe(port: number, host: string, tell: (message: unknown) => void): Promise<void> {
  const connection = await Connection.open(port);
  for (let request = 0; request < warmUp; request += 1) await connection.get(host);
  let longestMs = 0;
  let isOver = false;
  parentPort?.once("message", () => {
    isOver = true;
  });
  tell("ready");
  while (!isOver) {
    const start = performance.now();
    const { status } = await connection.get(host);
    if (status !== 200) throw new Error(`a request was answered ${status}`);
    longestMs = Math.max(longestMs, performance.now() - start);
    await sleep(pauseMs);
  }
  connection.close();
  tell(longestMs);
}

const asked = workerData as { port: number; host: string } | null;
if (parentPort !== null && asked !== null) await probe(asked.port, asked.host, (it) => parentPort?.postMessage(it));
