/** All copies of Entrance are replaced while everything changes: one by one by a rollout, then all at once by force. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, isFull, killPods, leadsTo, outcome, stopwatch, trafficTo } from "./drill.ts";

let world: World;
const within = "replaced";
const host = "replaced.example";
const rounds = isFull ? 3 : 1;
const routes = 20;
const changeEveryMs = 100;

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
});

afterAll(() => world?.stop());

/** Routes move to and fro until it is over; then each leads where it was led last. */
class Churn {
  readonly leadsTo = new Map<string, "web" | "two">();
  #isOver = false;
  #changes = 0;
  readonly #running = this.#run();

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const name = `r${this.#changes % routes}`;
      const to = this.leadsTo.get(name) === "web" ? "two" : "web";
      this.leadsTo.set(name, to);
      await world.apply(ingress(within, name, `${name}.replaced.example`, { to }));
      this.#changes += 1;
      await sleep(changeEveryMs);
    }
  }

  async stop(): Promise<number> {
    this.#isOver = true;
    await this.#running;
    return this.#changes;
  }
}

const replacements = {
  "by a rollout": async () => {
    const args = ["-n", "entrance", "rollout"];
    expect(await world.kubectl(...args, "restart", "deployment/entrance")).toMatchObject({ code: 0 });
    expect(await world.kubectl(...args, "status", "deployment/entrance", "--timeout=180s")).toMatchObject({ code: 0 });
  },
  "all at once, by force": async () => {
    await killPods(world, "app.kubernetes.io/name=entrance");
    await world.installed.ready();
  },
} as const;

test.each(Object.entries(replacements))("%s", { timeout: 900_000 }, async (how, replace) => {
  for (let round = 0; round < rounds; round += 1) {
    const traffic = trafficTo(world, host);
    const churn = new Churn();
    await sleep(1_000);
    const replacing = stopwatch();
    await replace();
    const replaced = replacing();
    const changes = await churn.stop();
    const since = stopwatch();
    // Reviews that nobody could take are found by a LIST.
    await world.installed.resync();
    for (const [name, to] of churn.leadsTo) await leadsTo(world, `${name}.replaced.example`, to, 60_000);
    const settled = since();
    const counted = await traffic.stop();
    outcome(
      `all copies replaced ${how}`,
      `it took ${replaced}, with ${changes} changes meanwhile; ${settled} later all of them were served`,
      counted,
    );
    expect(counted.wrong).toEqual([]);
  }
});
