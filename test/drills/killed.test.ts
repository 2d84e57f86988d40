/** Processes killed with -9 in the middle of a burst from four clients: what was acknowledged shows on the node. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { dice } from "../harness/dice.ts";
import { Field, report, times } from "./field.ts";

const clients = 4;

interface Kill {
  readonly who: string;
  readonly kill: (field: Field) => Promise<unknown>;
  readonly start: (field: Field) => Promise<unknown>;
}

const kills: readonly Kill[] = [
  {
    who: "Entrance",
    kill: ({ entrance }) => entrance.kill9(),
    start: ({ entrance }) => entrance.start(),
  },
  {
    who: "the node",
    kill: ({ node }) => node.kill9(),
    start: ({ node }) => node.start(),
  },
  {
    who: "Entrance and the node",
    kill: ({ entrance, node }) => Promise.all([entrance.kill9(), node.kill9()]),
    start: ({ entrance, node }) => Promise.all([entrance.start(), node.start()]),
  },
];

test.for(kills)(
  "$who killed in a burst: nothing acknowledged is lost",
  { timeout: 3_600_000 },
  async ({ who, kill, start }) => {
    const rounds = times(2, 50);
    const seed = Number(process.env["DRILL_SEED"] ?? Date.now() % 100_000);
    const random = dice(seed);
    await using field = await Field.start();
    const recoveries: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      let isOver = false;
      const burst = field.writer.burst(clients, String(round), () => isOver);
      const enough = field.writer.sent + 5 + random(60);
      while (field.writer.sent < enough) await sleep(1);
      await kill(field);
      isOver = true;
      await burst;
      await start(field);
      recoveries.push(await field.untilEqual());
      expect(await field.wrong(), `seed ${seed}, round ${round}`).toEqual([]);
    }
    recoveries.sort((a, b) => a - b);
    report(`killed: ${who}`, {
      rounds,
      acknowledged: field.writer.sent,
      lost: 0,
      "equal after, ms (median, worst)": `${recoveries[recoveries.length >> 1]} ${recoveries.at(-1)}`,
      seed,
    });
  },
);
