/** What a node's start runs first: lays out its folder by the environment's settings, and is over. */

import { NodeSetupError } from "./prepare/setup-error.ts";
import { prepareNode } from "./prepare.ts";
import { readNodeSettings } from "./settings.ts";

try {
  prepareNode(readNodeSettings(process.env));
} catch (error) {
  if (!(error instanceof NodeSetupError)) throw error;
  console.error(`entrance-node: ${error.message}`);
  process.exit(1);
}
