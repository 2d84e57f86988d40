/** The node: an nginx with our Lua, run in `.entrance/node`. */
import path from "node:path";
import { prepareNode } from "../openresty/prepare.ts";
import { answers } from "./probe.ts";
import type { Settings } from "./settings.ts";
import type { Command } from "./supervised.ts";

export function nodeCommand(
  { data, node, front, operation, publicHttpsPort }: Settings,
  keys: readonly string[],
  suffix: string | undefined,
): Command {
  const { command, args, launcher } = prepareNode({
    directory: path.join(data, "node"),
    ports: node,
    workers: node.workers,
    keys,
    publicHttpsPort,
    ...front,
    ...operation,
    ...(suffix === undefined ? {} : { suffix }),
  });
  const { drainSeconds = 0, stopSeconds = 0 } = operation;
  // Without a wait there is nothing that ending with care would be good for on one's own machine.
  const isDrained = drainSeconds > 0;
  return {
    name: "node",
    program: isDrained ? launcher.command : command,
    args: isDrained ? launcher.args : args,
    ...(isDrained ? { endsWithinMs: (drainSeconds + stopSeconds + 5) * 1000 } : {}),
    env: { PATH: process.env["PATH"] },
    isUp: () => answers(`http://127.0.0.1:${node.health}/health`),
  };
}
