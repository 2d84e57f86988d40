/** The apiserver is killed and comes back: nodes serve on, and what changes right afterwards is served at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../command.ts";
import { ingress } from "../objects.ts";
import { World } from "../world.ts";
import { application, isFull, outcome, stopwatch, Traffic } from "./drill.ts";

let world: World;
const within = "restarted";
const host = "restarted.example";
const rounds = isFull ? 5 : 1;
/** Longer than read-back tries by itself: what it could not read waits for the timer. */
const awayMs = isFull ? 60_000 : 5_000;

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
});

afterAll(() => world?.stop());

test("the apiserver killed and started again", { timeout: 600_000 }, async () => {
  const traffic = new Traffic(world, host);
  const times: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const last = `last-${round}.restarted.example`;
    await world.apply(ingress(within, `last-${round}`, last, { to: "web" }));
    // At once: perhaps before it was read back.
    await command(world.facts.commands, { do: "kill-apiserver" });
    await sleep(awayMs);
    await command(world.facts.commands, { do: "start-apiserver" });
    const since = stopwatch();
    const fresh = `fresh-${round}.restarted.example`;
    await world.apply(ingress(within, `fresh-${round}`, fresh, { to: "web" }));
    await world.answers(fresh, 200);
    await world.answers(last, 200);
    times.push(since());
  }
  const counted = await traffic.stop();
  outcome("apiserver restarted", `after ${times.join(", ")} routes of before and after its end were served`, counted);
  expect([...counted.failed]).toEqual([]);
});
