/**
 * Three Entrances, processes of their own, on one real store, and three real nodes: whoever is killed, frozen, stopped or
 * cut off, what was acknowledged comes to every node, and no request fails on a route that does not change.
 * DRILL=full takes half an hour for each store, DRILL_MINUTES as long as it says; DRILL_SEED chooses again what it chose.
 */
import { expect, test } from "vitest";
import { Drill } from "./any-store/drill.ts";
import { Field } from "./any-store/field.ts";
import { overlooked, secretsSaid } from "./any-store/secrecy.ts";
import { realDynamoDB, realEtcd } from "./any-store/stores.ts";
import { report } from "./field.ts";

const fullMinutes = 30;
/** Of changes and faults, before all comes to rest and is looked at. */
const roundMs = 25_000;

const minutes = Number(process.env["DRILL_MINUTES"] ?? (process.env["DRILL"] === "full" ? fullMinutes : 0));

test.for([
  { name: "etcd", open: realEtcd },
  { name: "DynamoDB", open: realDynamoDB },
])(
  "three Entrances on $name, of which any may die or freeze at any moment: nothing acknowledged is lost",
  { timeout: minutes * 60_000 + 600_000 },
  async ({ name, open }) => {
    const seed = Number(process.env["DRILL_SEED"] ?? Date.now() % 100_000);
    const store = await open();
    try {
      await using field = await Field.start(store, seed % 2 === 0);
      await using drill = new Drill(field, seed);
      const since = performance.now();
      const hint = () => `seed ${seed}, round ${drill.rests.length}`;
      await drill.start();
      do {
        expect(await drill.round(minutes === 0 ? 0 : roundMs), hint()).toEqual([]);
        expect(drill.faults, hint()).toEqual([]);
      } while (performance.now() - since < minutes * 60_000);
      await drill.end();
      expect(drill.faults, hint()).toEqual([]);
      expect(await secretsSaid(drill)).toEqual([]);
      expect(await overlooked(field)).toEqual([]);
      const { requests, failed, toChanging, wrong } = drill.traffic.figures;
      report(`any store: ${name}`, {
        ...drill.cluster.figures,
        retries: drill.cluster.webhooks.retries,
        ...Object.fromEntries(drill.counts),
        requests,
        failed,
        "requests to routes that change": toChanging,
        wrong,
        rounds: drill.rests.length - 1,
        "equal after, ms (worst)": Math.max(...drill.rests),
        minutes: Math.round((performance.now() - since) / 6_000) / 10,
        seed,
      });
    } finally {
      await store.stop();
    }
  },
);
