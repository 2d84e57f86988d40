/** Seeds on as many threads as there are cores. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedResult } from "./simulate.ts";

type Message = { readonly line: string } | { readonly result: SeedResult };

export interface RunOptions {
  /** What {@link bundleSimulation} made. */
  readonly script: string;
  readonly seeds: Iterable<number>;
  readonly threads?: number;
  /** A line of the trace; without it none is made. */
  readonly print?: (line: string) => void;
  /** True: that is enough. */
  readonly onResult: (result: SeedResult) => boolean;
}

export async function runSeeds({ script, seeds, threads, print, onResult }: RunOptions): Promise<void> {
  const queue = seeds[Symbol.iterator]();
  let isEnough = false;
  const work = async () => {
    const worker = new Worker(script, { eval: true });
    try {
      for (;;) {
        const next = isEnough ? undefined : queue.next();
        if (next === undefined || next.done === true) return;
        const result = await one(worker, next.value, print);
        if (onResult(result)) isEnough = true;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads ?? availableParallelism() }, work));
}

function one(worker: Worker, seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const end = () => {
      worker.off("message", onMessage);
      worker.off("error", reject);
    };
    const onMessage = (message: Message) => {
      if ("line" in message) return print?.(message.line);
      end();
      resolve(message.result);
    };
    worker.on("message", onMessage);
    worker.on("error", reject);
    worker.postMessage({ seed, prints: print !== undefined });
  });
}

export function* numbers(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed += 1) yield seed;
}
