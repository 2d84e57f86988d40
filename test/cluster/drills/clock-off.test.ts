/** One copy's clock is a minute fast or slow: changes are served as ever, also when it dies in the middle of its work. */

import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KubeObject, until } from "../api.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, counter, isFull, killPods, outcome, Traffic } from "./drill.ts";

let world: World;
const within = "clock";
const host = "clock.example";
const changes = isFull ? 200 : 30;
const minuteMs = 60_000;

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
});

afterAll(() => world?.stop());

const deployment = (name: string): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "entrance" },
});

interface Template {
  readonly metadata: { readonly labels: object };
  readonly spec: { readonly containers: readonly { readonly env?: readonly object[] }[] };
}

/** A copy beside the others, whose clock is off: to the Service it is one of them. */
async function addCopy(offMs: number): Promise<void> {
  const found = await world.api.get(deployment("entrance"));
  if (found === undefined) throw new Error("Entrance is not installed");
  const { template } = found["spec"] as { template: Template };
  const labels = { ...template.metadata.labels, clock: "off" };
  const [container] = template.spec.containers;
  const preload = path.join(import.meta.dirname, "../../harness/shifted-clock.ts");
  const env = [
    ...(container?.env ?? []),
    { name: "NODE_OPTIONS", value: `--import=${preload}` },
    { name: "TEST_CLOCK_OFF_MS", value: String(offMs) },
  ];
  const spec = { ...template.spec, containers: [{ ...container, env }] };
  await world.api.create({
    ...deployment("entrance-off"),
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
  await world.api.merge(deployment("entrance"), { spec: { replicas: 2 } });
  await until("it is ready", async () => {
    const status = (await world.api.get(deployment("entrance-off")))?.["status"] as { readyReplicas?: number };
    return status?.readyReplicas === 1 && (await world.installed.addresses()).length === 3;
  });
}

test.each([
  ["fast", minuteMs],
  ["slow", -minuteMs],
] as const)("a minute %s", { timeout: 900_000 }, async (which, offMs) => {
  await addCopy(offMs);
  const traffic = new Traffic(world, host);
  await world.apply(ingress(within, "moves", "moves.clock.example", { to: "two" }));
  let slowestMs = 0;
  const move = async (to: "web" | "two") => {
    await world.apply(ingress(within, "moves", "moves.clock.example", { to }));
    const begun = performance.now();
    await until(
      "the change is served",
      async () => (await world.pods("moves.clock.example", 1)).values().next().value?.startsWith(`${to}-`),
      120_000,
    );
    slowestMs = Math.max(slowestMs, performance.now() - begun);
  };
  for (let change = 0; change < changes; change += 1) await move(change % 2 === 0 ? "web" : "two");
  const [usualMs, takeovers] = [slowestMs, await counter(world, "entrance_lock_takeovers_total")];
  // It is killed while it works, at the worst with the lock in its hand.
  slowestMs = 0;
  const [burst] = [Array.from({ length: 20 }, (_, number) => `burst-${which}-${number}`)];
  await Promise.all([
    ...burst.map((name) => world.apply(ingress(within, name, `${name}.clock.example`, { to: "web" }))),
    sleep(50).then(() => killPods(world, "clock=off")),
  ]);
  const begun = performance.now();
  for (const name of burst) await until(`${name} is served`, async () => isServed(name), 120_000);
  const afterDeathMs = performance.now() - begun;
  const counted = await traffic.stop();
  await world.api.delete(deployment("entrance-off"));
  await world.api.merge(deployment("entrance"), { spec: { replicas: 3 } });
  await world.installed.ready();
  outcome(
    `clock a minute ${which}`,
    `the slowest of ${changes} changes took ${Math.round(usualMs)} ms, with ${takeovers} locks taken over; ` +
      `${(afterDeathMs / 1_000).toFixed(1)} s after it was killed all was served`,
    counted,
  );
  expect([...counted.failed]).toEqual([]);
});

async function isServed(name: string): Promise<boolean> {
  return (await world.node.get(`${name}.clock.example`)).status === 200;
}
