/** Once faults have stopped: every node has what the cluster's objects say, no mark is left, the lock is free. */
import { contentHash } from "../../../shared/model/canonical.ts";
import type { SeenObject } from "../../../shared/model/seen/object.ts";
import type { SentSecret } from "../../../shared/model/sent-secret.ts";
import { wireKindNamed } from "../../../shared/observe/kind.ts";
import { dirtyPartition, laterPartition, lockKey } from "../../../shared/reconcile/keys.ts";
import { defaultTiming } from "../../../shared/reconcile/settings.ts";
import type { Want } from "../../../shared/reconcile/want.ts";
import type { NodeServer } from "../node-server.ts";
import { isPoisoned } from "../poison.ts";
import { secrets } from "../secrets.ts";
import type { WireObject } from "../wire.ts";
import type { World } from "../world.ts";
import { Expected } from "./expected.ts";
import { readWant } from "./wants.ts";

/** Who dies with the lock while nothing is due leaves a record that keeps nobody off once its lease is over. */
function holderOf({ store, time }: World): string | undefined {
  const { holder, expires = 0 } = JSON.parse(store.get(lockKey)?.value ?? "{}");
  const isOver = time.nowMs > expires + defaultTiming.clockMarginMs;
  return holder && !isOver ? String(holder) : undefined;
}

/** The cheap part: whether it is worth a closer look. */
export function isAtRest(world: World): boolean {
  const { store, history } = world;
  // The first LIST may have begun while things still went wrong.
  if (world.plan.hasApi && history.wholeLists < world.listsBefore + 2) return false;
  if (store.list(dirtyPartition, undefined, 1).entries.length > 0) return false;
  if (holderOf(world) !== undefined) return false;
  return reachable(world).every((node) => isAtHead(world, node));
}

export async function checkEnd(world: World): Promise<void> {
  const { store } = world;
  const objects = await seenObjects(world);
  for (const { key } of store.list(dirtyPartition, undefined, 1_000).entries)
    world.fault(`6: ${key.sort} is still due`);
  for (const { key } of store.list(laterPartition, undefined, 1_000).entries) {
    const object = objects.get(key.sort);
    if (object === undefined || !isPoisoned(object)) world.fault(`4: ${key.sort} is postponed for no fault of its own`);
  }
  const holder = holderOf(world);
  if (holder !== undefined) world.fault(`6: ${holder} still has the lock`);
  const expected = new Expected(objects, wantsOf(world), world.translation);
  for (const node of reachable(world)) {
    if (!isAtHead(world, node)) world.fault(`6: ${node.url} is not at the head`);
    compare(world, node, expected.resources(node.balancer));
  }
}

function compare(world: World, node: NodeServer, expected: ReadonlyMap<string, unknown>): void {
  const { resources } = node.model;
  for (const [key, value] of expected) {
    const has = resources.get(key);
    if (has === undefined) world.fault(`6: ${node.url} lacks ${key}`);
    else if (has.hash !== contentHash(value)) {
      world.fault(`6: ${node.url} has ${key} as ${JSON.stringify(has.value)} instead of ${JSON.stringify(value)}`);
    } else if (contentHash(has.value) !== has.hash && !JSON.stringify(value).includes('"sealed"')) {
      world.fault(`3: ${node.url} has ${key} with another value than its hash says`);
    }
  }
  for (const key of resources.keys()) if (!expected.has(key)) world.fault(`5: ${node.url} still has ${key}`);
}

export function isAtHead(world: World, { balancer, model }: NodeServer): boolean {
  const head = world.history.head(balancer);
  const { store, epoch, revision, digest } = model.state;
  return (
    head !== undefined &&
    head.store === store &&
    head.epoch === epoch &&
    head.revision === revision &&
    head.digest === digest
  );
}

function reachable(world: World): NodeServer[] {
  return [...world.nodes.values()].filter((node) => node.mode === "up");
}

/** As the apiserver has them, by referenceKey. */
async function seenObjects(world: World): Promise<Map<string, SeenObject>> {
  const objects = new Map<string, SeenObject>();
  for (const [key, wire] of world.apiserver.objects) {
    const object = await trimmed(wire, world.translation.prefix);
    if (object !== undefined) objects.set(key, object);
  }
  return objects;
}

async function trimmed(wire: WireObject, prefix: string): Promise<SeenObject | undefined> {
  const found = trim(wire, prefix);
  return found?.kind === "SentSecret" ? secrets.keep(found) : found;
}

/** What is kept of an object; undefined: it can't be used. */
export function trim(wire: WireObject, prefix: string): SeenObject | SentSecret | undefined {
  const [group = ""] = wire.apiVersion.includes("/") ? wire.apiVersion.split("/") : [""];
  const parsed = wireKindNamed(group, wire.kind)?.trim(wire, { prefix });
  return parsed?.ok === true ? parsed.value : undefined;
}

function wantsOf(world: World): Map<string, Want> {
  const wants = new Map<string, Want>();
  for (const [partition, entries] of world.store.partitions()) {
    if (!partition.startsWith("want/")) continue;
    for (const [sort, { value }] of entries) {
      const name = `${partition.slice(5)}/${sort}`;
      wants.set(name, readWant(world.store, name, value));
    }
  }
  return wants;
}
