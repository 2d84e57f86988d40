/** When a node that is away is tried again. */
import { expect, test } from "vitest";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService } from "../harness/seen.ts";

test("a node is tried again as soon as its backoff is over, though a tick came just before", async () => {
  const world = newTestEntrance();
  const { entrance, host, context } = world;
  const node = world.node();
  node.reachable = false;
  await entrance.observe([
    observed(seenService("shop", "web"), 1),
    observed(seenIngress("shop", "web", ["www.example"], "web"), 2),
  ]);
  await host.settled();
  // Failures until the backoff is as long as it gets, which is the timer's period.
  for (let tick = 0; tick < 10; tick += 1) {
    world.clock += context.timing.timerMs;
    await entrance.tick();
  }
  const failedAt = world.clock;
  host.wake = undefined;
  node.reachable = true;
  world.clock = failedAt + context.timing.pushBackoffMaxMs - 1;
  await entrance.tick();
  expect(node.state.revision).toBe(0);
  expect(host.wake).toBe(failedAt + context.timing.pushBackoffMaxMs);
  world.clock = host.wake ?? 0;
  await entrance.tick();
  expect(node.state.revision).toBeGreaterThan(0);
});

test("many changes while a node is away for a moment do not make it wait for long", async () => {
  const world = newTestEntrance();
  const { entrance, host } = world;
  const node = world.node();
  node.reachable = false;
  for (let number = 0; number < 20; number += 1) {
    const name = `web-${number}`;
    await entrance.observe([observed(seenIngress("shop", name, [`${name}.example`], "web"), number + 1)]);
    await host.settled();
  }
  node.reachable = true;
  expect(host.wake).toBe(world.clock + 50);
  world.clock = host.wake ?? 0;
  await entrance.tick();
  expect(node.state.revision).toBeGreaterThan(0);
});
