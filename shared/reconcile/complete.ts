/** Nothing is pushed before the first whole LIST is translated: what is not known yet would be taken off the nodes. */
import { entriesOf } from "../store/entries.ts";
import type { Check } from "../store/port.ts";
import { readHead } from "./head.ts";
import { dirtyPartition, headKey } from "./keys.ts";
import { clocksApartMs, lastList } from "./list-tick.ts";
import { readMark } from "./mark.ts";
import { beginHistory } from "./rules.ts";
import type { Context } from "./settings.ts";

export async function completeHeads(context: Context): Promise<void> {
  const { store, kubernetes, balancers } = context;
  for (const { name } of balancers) {
    const entry = await store.get(headKey(name));
    const head = readHead(entry);
    // The store went back to before this balancer's history began, and nobody starts anew who would begin it.
    if (entry === undefined) await beginHistory(context, name);
    if (entry === undefined || head === undefined || head.complete) continue;
    const checks: Check[] = [{ key: entry.key, version: entry.version }];
    if (kubernetes !== undefined) {
      const { finished, check } = await lastList(context);
      if (finished === 0 || !(await isTranslated(context, finished))) return;
      // A store that went back since knows of none; what was translated since it would have changed the head.
      checks.push(check);
    }
    const value = JSON.stringify({ ...head, complete: true });
    // Turns check the head as well: one that is under way begins anew.
    await store.commit(checks, [{ key: entry.key, value }]);
  }
}

/**
 * No mark that the LIST left, or found, is due any more; what is put off has its reason in the status. Whoever marked it
 * may have another clock than who listed.
 */
async function isTranslated({ store }: Context, listedAt: number): Promise<boolean> {
  for await (const entry of entriesOf(store, dirtyPartition)) {
    if (readMark(entry).first <= listedAt + clocksApartMs) return false;
  }
  return true;
}
