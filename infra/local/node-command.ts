/** The node: an nginx with our Lua, run in `.entrance/node`. */
import path from "node:path";
import { prepareNode } from "../openresty/prepare.ts";
import { answers } from "./probe.ts";
import type { Settings } from "./settings.ts";
import type { Command } from "./supervised.ts";

export function nodeCommand(
  { data, node, front, publicHttpsPort }: Settings,
  keys: readonly string[],
  suffix: string | undefined,
): Command {
  const { command, args } = prepareNode({
    directory: path.join(data, "node"),
    ports: node,
    workers: node.workers,
    keys,
    publicHttpsPort,
    ...front,
    ...(suffix === undefined ? {} : { suffix }),
  });
  return {
    name: "node",
    program: command,
    args,
    env: { PATH: process.env["PATH"] },
    isUp: () => answers(`http://127.0.0.1:${node.health}/health`),
  };
}
