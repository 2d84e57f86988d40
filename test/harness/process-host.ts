/** Entrance as a process beside a real node: what the cases of the doors run on. */
import type { RunningHost } from "../functions/caller.ts";
import { EntranceProcess, type Platform } from "./entrance-process.ts";
import { startNode, type TestNode } from "./node.ts";

export interface ProcessHost extends RunningHost {
  readonly entrance: EntranceProcess;
  readonly node: TestNode;
}

export async function startProcessHost(
  platform: Platform,
  environment: Readonly<Record<string, string>> = {},
): Promise<ProcessHost> {
  const node = await startNode();
  const nodes = [`http://127.0.0.1:${node.ports.admin}`];
  const entrance = await EntranceProcess.start({ platform, nodes, environment }).catch(async (error: unknown) => {
    await node.stop();
    throw error;
  });
  return {
    entrance,
    node,
    fetch: (path, init) => entrance.fetch(path, init),
    stored: async () => entrance.stored(),
    printed: () => entrance.log,
    stop: async () => {
      await Promise.all([entrance.stop(), node.stop()]);
    },
  };
}
