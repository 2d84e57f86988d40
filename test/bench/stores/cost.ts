/** One change, webhook to served, on each store; and with 100,000 routes against 100, by time and by operations. */
import { startBackend } from "../../harness/backend.ts";
import { type StoreName, type Stores, storeNames } from "../../harness/every-store.ts";
import { median, type Ratio, ratioOf, rounded } from "../statistics.ts";
import { copied, Site } from "./site.ts";

const fewRoutes = 100;
const changes = 60;
const warmUp = 10;
const changed = 50;
const fewMiB = 64;
const manyMiB = 1_024;

export interface CostFigures {
  /** With 100 routes, in turns with the other stores. */
  readonly changeMs: number;
  readonly operations100: number;
  readonly operations100000: number;
  /** Of the medians of time, pair by pair. */
  readonly costRatio100000: number;
  readonly costRatioSpread: Ratio["spread"];
}

export interface CostResult {
  readonly stores: Readonly<Record<StoreName, CostFigures>>;
  /** What a repair sends to the nodes of all these when there is nothing to repair. */
  readonly repairSent: number;
}

export async function benchCost(stores: Stores, routes: number, say: (line: string) => void): Promise<CostResult> {
  await using backend = await startBackend("bench");
  const few = new Map<StoreName, Site>();
  try {
    for (const name of storeNames) {
      const site = await Site.start(await stores.place(name), fewMiB);
      few.set(name, site);
      await site.fill(fewRoutes, backend.port, () => undefined);
    }
    say("one change on each store, in turns");
    const alone = await inTurns([...few.values()]);
    let repairSent = 0;
    const found: Partial<Record<StoreName, CostFigures>> = {};
    const written = await stores.place("embedded");
    for (const [place, name] of storeNames.entries()) {
      const large = name === "embedded" ? written : await stores.place(name);
      if (name !== "embedded") {
        say(`${routes} routes, copied to ${name}`);
        const [from, to] = [await written.open(), await large.open()];
        await copied(from, to, say);
        await Promise.all([from.close(), to.close()]);
      }
      // The copies' versions begin above those that were copied.
      const many = await Site.start(large, manyMiB, 2 * routes);
      try {
        if (name === "embedded") {
          say(`${routes} routes by the doors`);
          await many.fill(routes, backend.port, say);
        }
        say(`their snapshot to a node`);
        await many.bringUp();
        const one = few.get(name);
        if (one === undefined) throw new Error(`no site on ${name}`);
        say(`changes among ${routes} routes against ${fewRoutes} on ${name}`);
        const [small, big] = await inTurns([one, many]);
        const ratio = ratioOf(big?.ms ?? [], small?.ms ?? []);
        found[name] = {
          changeMs: rounded(median(alone[place]?.ms ?? []), 2),
          operations100: median(small?.operations ?? []),
          operations100000: median(big?.operations ?? []),
          costRatio100000: ratio.median,
          costRatioSpread: ratio.spread,
        };
        repairSent += (await one.repair()) + (await many.repair());
      } finally {
        await many.stop();
      }
    }
    return { stores: found as Record<StoreName, CostFigures>, repairSent };
  } finally {
    for (const site of few.values()) await site.stop();
  }
}

interface Taken {
  readonly ms: number[];
  readonly operations: number[];
}

/** The same change on each, one after another; who begins changes with every second turn. */
async function inTurns(sites: readonly Site[]): Promise<Taken[]> {
  const taken: Taken[] = sites.map(() => ({ ms: [], operations: [] }));
  for (let turn = 1; turn <= changes + warmUp; turn += 1) {
    const order = [...sites.keys()];
    if (turn % 4 >= 2) order.reverse();
    for (const place of order) {
      const site = sites[place];
      if (site === undefined) continue;
      const { ms, operations } = await site.change(changed, turn);
      if (turn <= warmUp) continue;
      taken[place]?.ms.push(ms);
      taken[place]?.operations.push(operations);
    }
  }
  return taken;
}
