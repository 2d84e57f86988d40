/** Answers what a translation asks, by single reads of the store: the turn and admission reviews share this. */

import { isContest, type Reference } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Store } from "../store/port.ts";
import type { Answer } from "../translate/translation.ts";
import { seenKey } from "./keys.ts";
import { readSeen, seenHash } from "./seen.ts";
import { readWant, type Want } from "./want.ts";

export interface Answered {
  readonly answer: Answer;
  /** Hash of what was seen; undefined: it is a contest. */
  readonly seen: string | undefined;
}

/** What is known of `of` for a translation of `reader`. Only slices ask which pools of a Service exist. */
export async function answer(store: Pick<Store, "get">, reader: Reference, of: Reference): Promise<Answered> {
  if (isContest(of.kind)) {
    const { want } = await readWant(store, of);
    const { holding } = want;
    return { answer: { reference: of, ...(holding === undefined ? {} : { holding }) }, seen: undefined };
  }
  const asksPools = of.kind === "Service" && reader.kind === "EndpointSlice";
  const [entry, stored] = await Promise.all([store.get(seenKey(of)), asksPools ? readWant(store, of) : undefined]);
  const seen = readSeen(entry);
  return {
    answer: {
      reference: of,
      ...(seen?.object === undefined ? {} : { object: seen.object }),
      ...(seen?.object === undefined && seen?.unusable !== undefined ? { unusable: seen.unusable } : {}),
      ...(stored === undefined ? {} : { pools: poolsOf(stored.want) }),
    },
    seen: seenHash(seen),
  };
}

/** The ports whose pools a Service's last translation put on each balancer. */
function poolsOf(want: Want): Record<string, number[]> {
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
