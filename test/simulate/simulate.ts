/** A seed from its beginning to its end: objects come, things change and go wrong, faults stop, all comes to rest. */
import { hintPartition, seenKey } from "../../shared/reconcile/keys.ts";
import { edit } from "./edit.ts";
import { mend } from "./fault.ts";
import {
  type Anchor,
  anchorIngress,
  anchorService,
  anchorServices,
  anchorSlice,
  newAnchor,
  randomContent,
} from "./objects.ts";
import { checkEnd, isAtRest } from "./oracle/end.ts";
import { watchPace } from "./oracle/pace.ts";
import type { Random } from "./random.ts";
import { maxLateMs } from "./store.ts";
import { World } from "./world.ts";

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly events: number;
  readonly trace: string;
}

/** All events are delivered within this once faults have stopped. */
const deliveryMs = 120_000;
const lookEveryMs = 250;
const reviewMs = 4_000;
/** A hint is given up after this at the latest. */
const hintMs = 120_000;

/** Called by no promise: see {@link World.time}. */
export function simulate(seed: number, print?: (line: string) => void): SeedResult {
  const world = new World(seed, print);
  print?.(`plan ${JSON.stringify(world.plan)}`);
  const failed = (error: unknown) => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.fault(`the simulation itself failed: ${what}`);
  };
  try {
    world.time.drive(() => run(world).catch(failed));
  } catch (error) {
    failed(error);
  }
  return { seed, violations: world.violations, events: world.time.events, trace: world.trace.hash };
}

async function run(world: World): Promise<void> {
  const { plan, time } = world;
  const random = world.random.fork();
  const isOver = () => world.isOver;
  const endMs = time.nowMs + plan.durationMs;
  const anchors = Array.from({ length: plan.anchors }, (_, index) => newAnchor(index));
  const raised = anchors.map((anchor) => raise(world, random.fork(), anchor, endMs));
  void Promise.all(raised).then((all) => {
    world.isRaised = all.every((isRaised) => isRaised);
  });
  for (let write = 0; write < plan.initialWrites; write += 1) {
    time.after(random.between(0, 500), () => void change(world, random, []));
  }
  for (let write = 0; write < plan.writes; write += 1) {
    time.after(random.between(500, plan.durationMs), () => void change(world, random, anchors));
  }
  for (let at = 0; at < plan.durationMs; at += random.between(0, 2 * plan.faultEveryMs)) {
    time.after(at, () => world.strike());
  }
  Object.assign(world.store.faults, plan.storeFaults);
  Object.assign(world.apiserver.faults, plan.eventFaults);
  if (plan.isLambda) everyMinute(world);
  if (plan.upgrades) {
    world.copies.forEach((_, place) => {
      time.after(random.between(500, plan.durationMs), () => world.upgrade(place));
    });
  }
  if (plan.theme === "calm") watchPace(world);
  await time.runUntil(endMs, isOver);

  mend(world);
  const giveUpMs = time.nowMs + deliveryMs;
  while (world.apiserver.pending > 0 && time.nowMs < giveUpMs) await time.runUntil(time.nowMs + lookEveryMs, isOver);
  if (world.isOver) return;
  // Writes that are under way end before their review's time is up, and what was sent to the store has come.
  await time.runUntil(time.nowMs + Math.max(reviewMs, maxLateMs), isOver);
  // An event of before the cluster went back may have come last of all, or a write that nobody heard of.
  world.listsBefore = world.history.wholeLists;
  const restMs = time.nowMs + world.boundMs;
  while (!isAtRest(world) && time.nowMs < restMs && !world.isOver)
    await time.runUntil(time.nowMs + lookEveryMs, isOver);
  if (!world.isOver) await checkEnd(world);
  if (!world.isOver) await checkViews(world);
  if (!world.isOver) await checkQuiet(world);
  if (!world.isOver) await checkReplay(world);
}

/** A route whose Services and endpoints are known before its Ingress comes. */
async function raise(world: World, random: Random, anchor: Anchor, endMs: number): Promise<boolean> {
  const { apiserver, store, time, traffic } = world;
  const contents = anchorServices(anchor).flatMap((name) => [
    anchorService(random, anchor, name),
    anchorSlice(random, anchor, name),
  ]);
  for (const content of contents) {
    // Somebody else may deny it: then it is tried again.
    const key = `${content.kind}/${content.metadata.namespace ?? ""}/${content.metadata.name}`;
    while (!apiserver.objects.has(key)) await apiserver.put(content);
  }
  const isSeen = () =>
    contents.every(({ kind, metadata: { namespace = "", name } }) => store.get(seenKey({ kind, namespace, name })));
  while (!isSeen()) {
    if (time.nowMs > endMs) return false;
    await time.wait(20);
  }
  traffic.watch(anchor);
  const ingress = anchorIngress(random, anchor);
  const { kind, metadata } = ingress;
  await apiserver.put(ingress);
  const key = `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
  return apiserver.objects.has(key);
}

async function change(world: World, random: Random, anchors: readonly Anchor[]): Promise<void> {
  const { apiserver, plan } = world;
  const kind = random.below(10);
  if (kind < 3 && anchors.length > 0) {
    const anchor = random.pick(anchors);
    const made = [
      anchorIngress(random, anchor),
      ...anchorServices(anchor).flatMap((name) => [
        anchorService(random, anchor, name),
        anchorSlice(random, anchor, name),
      ]),
    ];
    const content = random.pick(made);
    const { kind: of, metadata } = content;
    // Only of what is there: each is made once, in its order.
    if (apiserver.objects.has(`${of}/${metadata.namespace ?? ""}/${metadata.name}`)) await apiserver.put(content);
    return;
  }
  if (kind === 3) {
    const keys = [...apiserver.objects.keys()].filter((key) => !key.includes("/z/"));
    if (keys.length > 0) await apiserver.delete(random.pick(keys));
    return;
  }
  if (kind >= 7) return edit(world, random);
  const content = randomContent(random, plan.extent);
  const key = `${content.kind}/${content.metadata.namespace ?? ""}/${content.metadata.name}`;
  const before = apiserver.objects.get(key);
  // There and back, so fast that the one may be seen by some and the other by others.
  if (kind === 5 && before !== undefined) {
    await apiserver.put(content);
    const { uid: _, resourceVersion: __, ...metadata } = before.metadata;
    await apiserver.put({ ...before, metadata });
    return;
  }
  if (kind === 4 && plan.reviews) await apiserver.dryRun(content);
  else await apiserver.put(content);
}

/** A host without a timer is called by the minute; it then stays for as long as it was asked to. */
function everyMinute(world: World): void {
  const { time } = world;
  time.after(5_000, () => {
    for (const copy of world.copies) {
      if (copy === undefined) continue;
      copy.caller.thaw();
      void copy.request("/resync", {}, "other");
    }
    everyMinute(world);
  });
}

const views = ["/status", "/metrics", "/", "/readyz"];
const viewMs = 10_000;

/** People are shown how it is, and nothing that is secret. */
async function checkViews(world: World): Promise<void> {
  const { time } = world;
  const copy = world.copies.find((each) => each !== undefined);
  const shown: string[] = [];
  for (const path of views) void copy?.view(path).then((text) => shown.push(text));
  await time.runUntil(time.nowMs + viewMs, () => shown.length === views.length);
  if (copy !== undefined && shown.length < views.length) world.fault(`6: ${copy.name} does not show how it is`);
}

/** When nothing happens, nothing is written and nothing is sent that changes a node. */
async function checkQuiet(world: World): Promise<void> {
  const { time, history, traffic } = world;
  if (!world.plan.watchesQuiet || world.plan.extent.poison || world.plan.deadNode) return;
  // What was denied by others is waited for, and given up.
  const hints = () => world.store.list(hintPartition, undefined, 1).entries.length;
  for (let waited = 0; waited < hintMs && hints() > 0; waited += lookEveryMs)
    await time.runUntil(time.nowMs + lookEveryMs);
  if (hints() > 0) world.fault("6: a hint is never given up");
  // Ends that a LIST has seen are forgotten by the one after it.
  const lists = history.wholeLists;
  const isForgotten = () => !world.plan.hasApi || history.wholeLists > lists;
  for (let waited = 0; waited < hintMs && !isForgotten(); waited += lookEveryMs)
    await time.runUntil(time.nowMs + lookEveryMs);
  await time.runUntil(time.nowMs + 6_000);
  const [changes, deliveries] = [history.changes.length, traffic.deliveries];
  await time.runUntil(time.nowMs + 70_000);
  const news = history.changes.slice(changes);
  if (news.length > 0) world.fault(`quiet: nothing happened, and ${news[0]}`);
  if (traffic.deliveries > deliveries) world.fault("quiet: nothing happened, and a node was sent something");
}

/** What was told is told again, in another order: nothing of it is news. */
async function checkReplay(world: World): Promise<void> {
  const { time, history, apiserver, plan } = world;
  if (plan.theme !== "events" || plan.hasApi || plan.extent.poison) return;
  const again = async () => {
    const changes = history.changes.length;
    apiserver.tellAgain();
    await time.runUntil(time.nowMs + 3_000);
    return history.changes.slice(changes);
  };
  // The end of an object that another one has followed is noted, once.
  const first = (await again()).filter((change) => !/^\S+ seen\/\S+( seen\/\S+)*$/.test(change));
  const news = first.length > 0 ? first : await again();
  if (news.length > 0) world.fault(`5: what was told before was told again, and ${news[0]}`);
}
