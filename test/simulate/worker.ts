/** Runs seeds in a thread of its own and tells of each; what is not of the seed must not be reached. */
import { parentPort } from "node:worker_threads";
import { closeOff } from "./closed-off.ts";
import { simulate } from "./simulate.ts";

export interface Order {
  readonly seed: number;
  readonly prints: boolean;
}

closeOff();

parentPort?.on("message", ({ seed, prints }: Order) => {
  const print = prints ? (line: string) => parentPort?.postMessage({ line }) : undefined;
  void simulate(seed, print).then((result) => parentPort?.postMessage({ result }));
});
