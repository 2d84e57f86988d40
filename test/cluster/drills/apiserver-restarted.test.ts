/**
 * The apiserver is killed in the middle of writes, and comes back: nodes serve on, what changes right afterwards is served
 * at once, and nothing stale is left of what changed around its end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../api.ts";
import { command } from "../command.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, isFull, outcome, stopwatch, trafficTo } from "./drill.ts";
import { OldRoutes } from "./old-routes.ts";

let world: World;
const within = "restarted";
const host = "restarted.example";
const rounds = isFull ? 5 : 1;
/** Longer than read-back tries by itself: what it could not read waits for the timer, and after a minute for a LIST. */
const awayMs = isFull ? 60_000 : 5_000;
const upWithinMs = 120_000;
/** So many routes go around its end, and as many move. */
const pairs = 20;

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
});

afterAll(() => world?.stop());

test("the apiserver killed and started again", { timeout: 600_000 }, async () => {
  const traffic = trafficTo(world, host);
  const times: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const old: OldRoutes[] = [];
    for (let pair = 0; pair < pairs; pair += 1) old.push(await OldRoutes.serve(world, within, `old-${round}-${pair}`));
    const last = `last-${round}.restarted.example`;
    await world.apply(ingress(within, `last-${round}`, last, { to: "web" }));
    // What is cut off, or finds nobody, is sent again.
    const changing = old.map((each) =>
      until("the apiserver takes it", () => each.change().then(() => true), awayMs + upWithinMs),
    );
    await Promise.race(changing);
    // In the middle of them: some are written and not read back.
    await command(world.facts.commands, { do: "kill-apiserver" });
    await sleep(awayMs);
    await command(world.facts.commands, { do: "start-apiserver" });
    const since = stopwatch();
    const fresh = `fresh-${round}.restarted.example`;
    await world.apply(ingress(within, `fresh-${round}`, fresh, { to: "web" }));
    await world.answers(fresh, 200);
    await Promise.all(changing);
    // As the page for that day says.
    if (isFull) await world.installed.resync();
    await world.answers(last, 200);
    for (const each of old) await each.areChanged();
    times.push(since());
  }
  const counted = await traffic.stop();
  outcome("apiserver restarted", `after ${times.join(", ")} all of before and after its end was as written`, counted);
  expect(counted.wrong).toEqual([]);
});
