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

/** A part that fails is told and left out: the others took their time, too. */
export async function benchStores(
  { minutes, rules, only }: StoresOptions,
  say: (line: string) => void,
): Promise<StoresFigures> {
  await using stores = await startStores();
  async function row<T>(name: string, take: () => Promise<T>): Promise<T | undefined> {
    if (only.length > 0 && !only.includes(name)) return undefined;
    const begun = performance.now();
    try {
      return await take();
    } catch (error) {
      say(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
      return undefined;
    } finally {
      say(`${name} took ${Math.round((performance.now() - begun) / 1_000)} s`);
    }
  }
  const bursts = await row("burst1000Seconds", () => benchBurst(stores, say));
  const takeovers = new Map<StoreName, number | undefined>();
  for (const name of storeNames) {
    takeovers.set(name, await row("takeoverSeconds", () => benchTakeover(stores, name, say)));
  }
  const steady = await row("steady", () => benchSteady(stores, minutes, say));
  const cost = await row("cost", () => benchCost(stores, rules, say));
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
