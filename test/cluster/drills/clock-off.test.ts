/**
 * One copy's clock is a minute fast or slow: changes are served as ever. When it dies with the lock in its hand, they are
 * after as long as the page for that day says.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockKey } from "../../../shared/reconcile/keys.ts";
import { defaultTiming } from "../../../shared/reconcile/settings.ts";
import { openEtcd } from "../../../shared/store/etcd.ts";
import type { Store } from "../../../shared/store/port.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, counter, isFull, leadsTo, outcome, trafficTo } from "./drill.ts";
import { deployment, OffCopy } from "./off-copy.ts";

let world: World;
let store: Store;
const prefix = "clock";
const within = "clock";
const host = "clock.example";
/**
 * They move at once: more than the apiserver keeps connections (25), so that all copies are asked, and each time some of
 * them on connections that are new.
 */
const routes = 30;
const rounds = isFull ? 20 : 3;
/** Until it has had a turn: one whose clock is slow leaves the lock to the others where it is not free. */
const maxRounds = 60;
const minuteMs = 60_000;
/** For so many at once, on a machine that has other things to do. */
const usualMs = 10_000;
/** Changes one by one, all of which one copy is asked: that of the connection that was used last. */
const single = 5;
const maxTries = 150;
/** So long after the answer a turn has begun, if there is one. */
const turnMs = 50;
/** What it had sent before it was stopped has arrived by then. */
const arrivedMs = 30;

const reviews = "entrance_reviews_total";
const turns = "entrance_turns_total";

type App = "web" | "two";

beforeAll(async () => {
  world = await World.start({ ENTRANCE_ETCD_PREFIX: prefix });
  store = openEtcd({ endpoints: [world.facts.store], prefix, user: undefined, ca: undefined, client: undefined });
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
});

afterAll(async () => {
  await store?.close();
  await world?.stop();
});

const hostOf = (name: string) => `${name}.clock.example`;
const other = (round: number): App => (round % 2 === 0 ? "web" : "two");
/** Of all routes. */
const ledTo = new Map<string, App>();

/** All of them at once. */
async function lead(names: readonly string[], to: App): Promise<void> {
  for (const name of names) ledTo.set(name, to);
  await Promise.all(names.map((name) => world.apply(ingress(within, name, hostOf(name), { to }))));
}

async function allAreLed(withinMs: number): Promise<void> {
  for (const [name, to] of ledTo) await leadsTo(world, hostOf(name), to, withinMs);
}

async function holder(): Promise<string> {
  const entry = await store.get(lockKey);
  return entry === undefined ? "" : String(JSON.parse(entry.value).holder);
}

/** Stopped with the lock in its hand: by then nobody else has it, nor was it freed. */
async function isStopped(off: OffCopy): Promise<boolean> {
  if ((await holder()) !== off.instance) return false;
  off.stop();
  await sleep(arrivedMs);
  if ((await holder()) === off.instance) return true;
  off.goOn();
  return false;
}

/** In the middle of a turn. When that was, by `performance.now()`. */
async function stopInTurn(off: OffCopy, names: readonly string[]): Promise<number> {
  for (let count = 0; count < maxTries; count += 1) {
    // From now on perhaps another one is asked.
    await lead(names, other(count));
    for (const name of names.slice(0, single)) {
      let end = Number.POSITIVE_INFINITY;
      const writing = lead([name], other(count + 1)).finally(() => {
        end = performance.now() + turnMs;
      });
      while (performance.now() < end) {
        if (!(await isStopped(off))) continue;
        const at = performance.now();
        await writing;
        return at;
      }
      await writing;
    }
  }
  throw new Error(`it was sought ${maxTries} times and never found with the lock`);
}

test.each([
  ["fast", minuteMs],
  ["slow", -minuteMs],
] as const)("a minute %s", { timeout: 900_000 }, async (which, offMs) => {
  const off = await OffCopy.add(world, offMs);
  const traffic = trafficTo(world, host);
  const names = Array.from({ length: routes }, (_, number) => `moves-${which}-${number}`);
  await lead(names, "two");
  await allAreLed(usualMs);
  let slowestMs = 0;
  let round = 0;
  const hasWorked = async () => (await off.counter(reviews)) > 0 && (await off.counter(turns)) > 0;
  while (round < rounds || (round < maxRounds && !(await hasWorked()))) {
    await lead(names, other(round));
    const begun = performance.now();
    await allAreLed(usualMs);
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    round += 1;
  }
  expect(slowestMs).toBeLessThan(usualMs);
  const [reviewed, turned] = [await off.counter(reviews), await off.counter(turns)];
  expect(reviewed).toBeGreaterThan(0);
  expect(turned).toBeGreaterThan(0);
  const takeovers = await counter(world, "entrance_lock_takeovers_total");

  const stoppedAt = await stopInTurn(off, names);
  await off.die();
  await lead([`last-${which}`], "web");
  // What it had been asked and nobody else knows is found by a LIST.
  await world.installed.resync();
  await allAreLed(2 * minuteMs);
  const afterDeathMs = performance.now() - stoppedAt;
  const counted = await traffic.stop();
  await world.api.merge(deployment("entrance"), { spec: { replicas: 3 } });
  await world.installed.ready();
  outcome(
    `clock a minute ${which}`,
    `the slowest of ${round} times ${routes} changes took ${Math.round(slowestMs)} ms, with ${reviewed} reviews and ` +
      `${turned} turns of that copy and ${takeovers} locks taken over; ${(afterDeathMs / 1_000).toFixed(1)} s after it ` +
      "died with the lock in its hand all was served",
    counted,
  );
  expect(counted.wrong).toEqual([]);
  // Its lock is good for as much longer as its clock is fast, and no longer.
  const { leaseMs, clockMarginMs, timerMs } = defaultTiming;
  const longerMs = Math.max(0, offMs);
  expect(afterDeathMs).toBeGreaterThan(longerMs);
  expect(afterDeathMs).toBeLessThan(longerMs + leaseMs + clockMarginMs + timerMs + 2 * usualMs);
});
