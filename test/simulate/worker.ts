/** Runs seeds in a thread of its own and tells of each; what is not of the seed must not be reached. */
import { parentPort } from "node:worker_threads";
import { closeOff } from "./closed-off.ts";
import { usePlainWeb } from "./plain-web.ts";
import { remembered } from "./remembered.ts";
import { simulate } from "./simulate.ts";

export interface Order {
  readonly seed: number;
  readonly prints: boolean;
}

closeOff();
usePlainWeb();
// For what the bundle has in the place of reading a record anew.
Object.assign(globalThis, { remembered });

parentPort?.on("message", ({ seed, prints }: Order) => {
  // Stacks are for who reads what is printed: thousands of errors are part of every seed.
  Error.stackTraceLimit = prints ? 20 : 0;
  const print = prints ? (line: string) => parentPort?.postMessage({ line }) : undefined;
  parentPort?.postMessage({ result: simulate(seed, print) });
});
