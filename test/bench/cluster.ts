/**
 * On a real kube-apiserver, by the method of gateway-api-bench: the clock starts when the write has returned, and every
 * 5 ms a node is asked until it answers 200 instead of 404. The whole control plane, three copies of Entrance, their store
 * and the nodes share this machine.
 */
import path from "node:path";
import { enter } from "../cluster/enter.ts";
import type { ClusterFigures } from "./cluster/figures.ts";

export interface ClusterOptions {
  /** New routes, one after another; twice: alone, and while endpoints churn. */
  readonly routes: number;
  /** For the rows that need many, 10,000; half of them have Services of their own, whose endpoints churn. */
  readonly ingresses: number;
  /** Whether a table follows of where each millisecond goes. */
  readonly trace: boolean;
  /** Rows by name; none: all of them. */
  readonly only: readonly string[];
}

/** Progress goes to stderr. Throws what {@link enter} throws. */
export async function benchCluster(options: ClusterOptions): Promise<ClusterFigures> {
  const script = path.join(import.meta.dirname, "cluster/inside.ts");
  const child = await enter(script, [JSON.stringify(options)], "npm run bench -- cluster", ["ignore", 2, 2, "ipc"]);
  let figures: ClusterFigures | undefined;
  child.on("message", (message) => {
    figures = message as ClusterFigures;
  });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) process.exitCode = 1;
  if (figures === undefined) throw new Error(`the bench on a cluster ended without figures (${code})`);
  return figures;
}
