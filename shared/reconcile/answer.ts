/** Answers what a translation asks, by single reads of the store: the turn and admission reviews share this. */

import { isContest, type Reference } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Store } from "../store/port.ts";
import type { Answer } from "../translate/translation.ts";
import { seenKey } from "./keys.ts";
import { readSeen } from "./seen.ts";
import { readWant, type Want } from "./want.ts";

/** What is known of `of` for a translation of `reader`. Only slices ask which pools of a Service exist. */
export async function answer(store: Pick<Store, "get">, reader: Reference, of: Reference): Promise<Answer> {
  if (isContest(of.kind)) {
    const { want } = await readWant(store, of);
    return want.holding === undefined ? { reference: of } : { reference: of, holding: want.holding };
  }
  const asksPools = of.kind === "Service" && reader.kind === "EndpointSlice";
  const [entry, stored] = await Promise.all([store.get(seenKey(of)), asksPools ? readWant(store, of) : undefined]);
  const object = readSeen(entry)?.object;
  return {
    reference: of,
    ...(object === undefined ? {} : { object }),
    ...(stored === undefined ? {} : { pools: poolsOf(stored.want) }),
  };
}

/** The ports whose pools a Service's last translation put on each balancer. */
export function poolsOf(want: Want): Record<string, number[]> {
  const pools: Record<string, number[]> = {};
  for (const [balancer, resources] of Object.entries(want.resources)) {
    const ports = Object.keys(resources).flatMap((key) => {
      const parsed = parseResourceKey(key);
      return parsed?.kind === "Pool" ? [Number(parsed.segments[2])] : [];
    });
    if (ports.length > 0) pools[balancer] = ports;
  }
  return pools;
}
