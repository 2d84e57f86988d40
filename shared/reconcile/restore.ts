/** A node with another past than its own store says that the store was restored from a backup: history goes on above. */
import type { NodeState } from "../plugins/port.ts";
import { readHead } from "./head.ts";
import { headKey } from "./keys.ts";
import { listAnew } from "./list-tick.ts";
import type { Context } from "./settings.ts";

const told = { ahead: "ahead of", "other past": "of another past than" } as const;

/** Lifts the head's epoch above the node's, unless somebody did so already. The next delivery is a snapshot. */
export async function raiseEpoch(
  context: Context,
  balancer: string,
  state: NodeState,
  why: "ahead" | "other past" = "ahead",
): Promise<void> {
  const entry = await context.store.get(headKey(balancer));
  const head = readHead(entry);
  if (entry === undefined || head === undefined || head.store !== state.store || head.closed !== undefined) return;
  const isAhead = head.epoch === state.epoch && head.revision < state.revision;
  if (head.epoch > state.epoch || (head.epoch === state.epoch && !isAhead && why === "ahead")) return;
  // What happened since the backup is known to the cluster alone: it is listed before anything is pushed.
  const complete = context.kubernetes === undefined;
  const result = await context.store.commit(
    [{ key: headKey(balancer), version: entry.version }],
    [
      { key: headKey(balancer), value: JSON.stringify({ ...head, epoch: state.epoch + 1, complete }) },
      ...(complete ? [] : [listAnew(context.now())]),
    ],
  );
  if (!result.ok) return;
  context.counters.add("entrance_restores_total", { balancer });
  context.warn(`balancer ${balancer}: a node is ${told[why]} the store, which was restored: its epoch goes up`);
}
