/** One half without the other: the node serves while Entrance is away, and catches up when it was away itself. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { defaultTiming } from "../../shared/reconcile/settings.ts";
import { Field, report, times } from "./field.ts";

test("Entrance stopped: the node goes on serving, through a restart of its own, too", async () => {
  await using field = await Field.start();
  for (let number = 0; number < 10; number += 1) await field.writer.route(`kept-${number}`);
  await field.untilEqual();
  await field.entrance.halt();
  const { revision } = await field.node.state();
  expect(await field.wrong()).toEqual([]);
  await field.node.restart();
  expect(await field.node.isReady()).toBe(true);
  expect((await field.node.state()).revision).toBe(revision);
  expect(await field.wrong()).toEqual([]);
  await field.entrance.start();
  await field.writer.route("after");
  await field.untilEqual();
  expect(await field.wrong()).toEqual([]);
});

test("the node stopped during changes: it equals the head within the timer's period of its return", async () => {
  const changes = 100;
  await using field = await Field.start();
  await field.untilEqual();
  await field.node.halt();
  for (let number = 0; number < changes; number += 1) {
    expect(await field.writer.route(`missed-${number}`)).toBe(true);
  }
  const [node] = (await field.entrance.status()).balancers[0]?.nodes ?? [];
  expect(node?.error).toMatch(/no answer from the node/);
  // Long enough for the longest backoff to be the one that counts.
  await sleep(times(500, 10_000));
  await field.node.start();
  const since = performance.now();
  await field.untilEqual();
  const took = Math.round(performance.now() - since);
  expect(took).toBeLessThan(defaultTiming.timerMs + 1_000);
  expect(await field.wrong()).toEqual([]);
  report("node stopped", { changes, "equal after its return, ms": took });
});
