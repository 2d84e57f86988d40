/** Beside the timer's work: nodes that are new are brought to the head, and those that went are forgotten. */
import type { Entrance } from "../shared/reconcile/entrance.ts";
import { forgetGoneNodes } from "../shared/reconcile/gone-nodes.ts";
import type { Discovery } from "./discovery.ts";

/** Never rejects. */
export function nodeFinder({ context, pusher }: Entrance, discovery: Discovery): () => Promise<void> {
  /** Names of balancers of which nodes went, that something may still be kept of. */
  const shrunk = new Set<string>();
  return async () => {
    try {
      const found = await discovery.refresh();
      for (const name of found.shrunk) shrunk.add(name);
      if (found.grown.length > 0) await pusher.repair(false);
      // One that is being called leaves a record at the end of it: the next search comes back to it.
      if (shrunk.size === 0 || !pusher.forgetGone()) return;
      for (const balancer of context.balancers.filter(({ name }) => shrunk.has(name))) {
        await forgetGoneNodes(context, balancer);
        shrunk.delete(balancer.name);
      }
    } catch (error) {
      context.warn(`the nodes: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}
