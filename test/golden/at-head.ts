/** What a balancer should have, once there is nothing left to do. */
import { readHead } from "../../shared/reconcile/head.ts";
import { everything } from "../../shared/reconcile/history.ts";
import { dirtyPartition, headKey, laterPartition } from "../../shared/reconcile/keys.ts";
import type { TestDoors } from "../harness/doors.ts";

/** The one balancer of all stories. */
export const balancer = "openresty";

/** All that the balancer should have; throws unless nothing is left to do and the node is at that very point. */
export async function resourcesAtHead(
  doors: TestDoors,
  state: { readonly revision: number; readonly digest: string },
): Promise<Record<string, unknown>> {
  const { store } = doors.context;
  for (const partition of [dirtyPartition, laterPartition]) {
    if ((await store.list(partition, undefined, 1)).entries.length > 0)
      throw new Error(`a mark is left in ${partition}`);
  }
  if (doors.host.faults.length + doors.warnings.length > 0) {
    throw new AggregateError(doors.host.faults, `faults: ${doors.warnings.join("; ")}`);
  }
  const head = readHead(await store.get(headKey(balancer)));
  const isThere = head?.revision === state.revision && head.digest === state.digest;
  if (!isThere) throw new Error(`the node is at ${JSON.stringify(state)}, the head at ${JSON.stringify(head)}`);
  const history = await everything(store, balancer);
  const values = (history?.resources ?? []).map(({ key, value }) => [key, value] as const);
  return Object.fromEntries(values.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function difference(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  const changed = Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key]));
  const gone = Object.keys(before).filter((key) => !(key in after));
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((key) => [key, null])) };
}
