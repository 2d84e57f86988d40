/**
 * A freeze: nodes keep what they have, whatever changes. Observing and translating go on: so reviews deny by what is so,
 * the status shows what would be pushed, and what comes after is one delivery and no backlog of marks. It stands in the
 * head, which is read before every delivery anyway: all copies obey at once, and it costs no read.
 */
import type { Store } from "../store/port.ts";
import { balancersOf, changeHead } from "./change-head.ts";

/** Of all balancers where none is named; returns their names. `now` in ms since 1970; a freeze that stands is left. */
export async function freeze(store: Store, balancer: string | undefined, now: number): Promise<readonly string[]> {
  const names = balancer === undefined ? await balancersOf(store) : [balancer];
  for (const name of names) await changeHead(store, name, (head) => ({ ...head, frozen: head.frozen ?? now }));
  return names;
}

export async function unfreeze(store: Store, balancer: string | undefined): Promise<readonly string[]> {
  const names = balancer === undefined ? await balancersOf(store) : [balancer];
  for (const name of names) await changeHead(store, name, ({ frozen: _, ...head }) => head);
  return names;
}
