/** `npm run bench -- stores`: what a change costs on each store, bursts, a dead holder, and a steady stream. */

import { type StoreName, startStores, storeNames } from "../harness/every-store.ts";
import { benchBurst } from "./stores/burst.ts";
import { benchCost, type CostFigures } from "./stores/cost.ts";
import { benchSteady, type SteadyFigures } from "./stores/steady.ts";
import { benchTakeover } from "./stores/takeover.ts";

type StoreFigures = Partial<CostFigures & { readonly burst1000Seconds: number; readonly takeoverSeconds: number }>;

export interface StoresFigures {
  readonly stores: Readonly<Record<StoreName, StoreFigures>>;
  readonly steady?: SteadyFigures;
  readonly repairSent?: number;
}

export interface StoresOptions {
  /** Of the steady stream. */
  readonly minutes: number;
  /** Against 100. */
  readonly rules: number;
  /** burst1000Seconds, takeoverSeconds, steady, cost; none: all of them. */
  readonly only: readonly string[];
}

export async function benchStores(
  { minutes, rules, only }: StoresOptions,
  say: (line: string) => void,
): Promise<StoresFigures> {
  const isWanted = (row: string) => only.length === 0 || only.includes(row);
  await using stores = await startStores();
  const bursts = isWanted("burst1000Seconds") ? await benchBurst(stores, say) : undefined;
  const takeovers = new Map<StoreName, number>();
  if (isWanted("takeoverSeconds")) {
    for (const name of storeNames) takeovers.set(name, await benchTakeover(stores, name, say));
  }
  const steady = isWanted("steady") ? await benchSteady(stores, minutes, say) : undefined;
  const cost = isWanted("cost") ? await benchCost(stores, rules, say) : undefined;
  const figuresOf = (name: StoreName): StoreFigures => {
    const takeoverSeconds = takeovers.get(name);
    return {
      ...cost?.stores[name],
      ...(bursts === undefined ? {} : { burst1000Seconds: bursts[name] }),
      ...(takeoverSeconds === undefined ? {} : { takeoverSeconds }),
    };
  };
  const [embedded, etcd, dynamodb] = [figuresOf("embedded"), figuresOf("etcd"), figuresOf("dynamodb")];
  return {
    stores: { embedded, etcd, dynamodb },
    ...(steady === undefined ? {} : { steady }),
    ...(cost === undefined ? {} : { repairSent: cost.repairSent }),
  };
}
