/** What goes wrong, one after another: each fault is over when its promise resolves. */
import { setTimeout as sleep } from "node:timers/promises";
import { lockKey } from "../../../shared/reconcile/keys.ts";
import { defaultTiming } from "../../../shared/reconcile/settings.ts";
import type { Store } from "../../../shared/store/port.ts";
import type { EntranceProcess } from "../../harness/entrance-process.ts";
import type { Random } from "../../simulate/random.ts";
import type { Field } from "./field.ts";
import type { Traffic } from "./traffic.ts";

export interface Faults {
  readonly field: Field;
  readonly random: Random;
  readonly traffic: Traffic;
  /** Past everything that goes wrong. */
  readonly store: Store;
  /** By kind: how often. */
  readonly counts: Map<string, number>;
  /** Who signs as the lock's holder with this name, or did in a life before. */
  readonly instances: Map<string, EntranceProcess>;
}

type Fault = (faults: Faults) => Promise<void>;

/** Longer than any lease that began before. */
const frozenMs = defaultTiming.leaseMs + defaultTiming.clockMarginMs + 500;
/** So long the one is sought that is in the middle of a turn. */
const seekMs = 3_000;
/** One message in so many. */
const lostOneIn = 4;

/** Two lanes, so that Entrances fail while the store or a node does. */
export const ofEntrances: Readonly<Record<string, Fault>> = {
  "Entrance killed": async (faults) => {
    await replace(faults.random.pick(faults.field.entrances), faults);
  },
  "holder killed": async (faults) => {
    await replace(await stoppedHolder(faults), faults);
  },
  "holder frozen beyond its lease": async (faults) => {
    const entrance = await stoppedHolder(faults);
    await sleep(frozenMs);
    entrance.signal("SIGCONT");
  },
};

export const ofOthers: Readonly<Record<string, Fault>> = {
  "store stopped": async ({ field, random }) => {
    field.store.signal("SIGSTOP");
    await sleep(random.between(500, 7_000));
    field.store.signal("SIGCONT");
  },
  "store killed": async ({ field, random }) => {
    const { storeProxy: proxy } = field;
    await field.store.kill(() => {
      proxy.loss = () => "request";
      proxy.cut();
    });
    await sleep(random.between(100, 2_000));
    await field.store.start();
    proxy.loss = () => "none";
  },
  "store's answers lost": async ({ field, random }) => {
    field.storeProxy.loss = () => (random.one(lostOneIn) ? random.pick(["answer", "request"]) : "none");
    await sleep(random.between(1_000, 4_000));
    field.storeProxy.loss = () => "none";
    field.storeProxy.cut();
  },
  "node cut off": async ({ field, random }) => {
    const proxy = random.pick(field.nodeProxies);
    proxy.loss = () => "request";
    proxy.cut();
    await sleep(random.between(500, 6_000));
    proxy.loss = () => "none";
  },
  "node killed": async ({ field, random, traffic }) => {
    const node = random.pick(field.nodes);
    const place = field.nodes.indexOf(node);
    traffic.goesDown(place);
    await node.kill9();
    await sleep(random.between(100, 2_000));
    await node.start();
    while (!(await node.isReady())) await sleep(20);
    traffic.isBack(place);
  },
};

/** Until told to end, but each kind once at least; in a new order each time round. */
export async function strike(kinds: Readonly<Record<string, Fault>>, faults: Faults, isOver: () => boolean) {
  for (let isFirst = true; isFirst || !isOver(); isFirst = false) {
    const names = shuffled(Object.keys(kinds), faults.random);
    for (const name of names) {
      if (!isFirst && isOver()) return;
      await kinds[name]?.(faults);
      faults.counts.set(name, (faults.counts.get(name) ?? 0) + 1);
      await sleep(faults.random.between(0, 1_000));
    }
  }
}

async function replace(entrance: EntranceProcess, { random, instances }: Faults): Promise<void> {
  await entrance.kill9();
  await sleep(random.between(200, 2_000));
  await entrance.start();
  void learn(entrance, instances);
}

/** As soon as it can tell. */
export async function learn(entrance: EntranceProcess, instances: Faults["instances"]): Promise<void> {
  const status = await entrance.status().catch(() => undefined);
  if (status?.instance !== undefined) instances.set(status.instance, entrance);
}

/** Stopped in the middle of a turn, where that can be had within a while; otherwise any. */
async function stoppedHolder({ field, random, store, counts, instances }: Faults): Promise<EntranceProcess> {
  for (const since = performance.now(); performance.now() - since < seekMs; await sleep(5)) {
    const holder = await holderOf(store);
    const entrance = instances.get(holder);
    if (entrance === undefined) continue;
    entrance.signal("SIGSTOP");
    if ((await holderOf(store)) === holder) {
      counts.set("of them in a turn", (counts.get("of them in a turn") ?? 0) + 1);
      return entrance;
    }
    entrance.signal("SIGCONT");
  }
  const entrance = random.pick(field.entrances);
  entrance.signal("SIGSTOP");
  return entrance;
}

async function holderOf(store: Store): Promise<string> {
  const entry = await store.get(lockKey).catch(() => undefined);
  return entry === undefined ? "" : String(JSON.parse(entry.value).holder);
}

function shuffled(names: readonly string[], random: Random): string[] {
  return names
    .map((name) => ({ name, place: random.below(1_000) }))
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name);
}
