/**
 * Where nothing goes wrong nobody waits for a timer: no mark stands while the lock is free, and no node is behind, for
 * longer than a few answers take. It is what each wake-up of the protocol is for.
 */
import { contentHash } from "../../../shared/model/canonical.ts";
import { dirtyPartition, lockKey, seenKey, usersPartition } from "../../../shared/reconcile/keys.ts";
import { readSeen, type SeenRecord } from "../../../shared/reconcile/seen.ts";
import type { World } from "../world.ts";
import { isAtHead, trim } from "./end.ts";

const lookEveryMs = 200;
/** Answers take 400 ms at the worst, a handful of them one after another. */
const patienceMs = 3_000;

/** It changed in nothing that translation reads: what was read before is as good as what would be read now. */
function isSameTo(world: World, key: string, seen: SeenRecord | undefined): boolean {
  const wire = world.apiserver.objects.get(key);
  if (wire === undefined || seen === undefined || seen.gone) return false;
  const trimmed = trim(wire, world.translation.prefix);
  return trimmed !== undefined && trimmed.kind !== "SentSecret" && contentHash(trimmed) === seen.hash;
}

export function watchPace(world: World): void {
  let freeSince = Number.POSITIVE_INFINITY;
  const behindSince = new Map<string, number>();
  const unknownSince = new Map<string, number>();
  const look = () => {
    const { time, store } = world;
    const isFree = !JSON.parse(store.get(lockKey)?.value ?? "{}").holder;
    const isIdle = isFree && store.list(dirtyPartition, undefined, 1).entries.length > 0;
    freeSince = isIdle ? Math.min(freeSince, time.nowMs) : Number.POSITIVE_INFINITY;
    if (time.nowMs - freeSince > patienceMs) {
      world.fault("6: a mark stands and nobody takes the lock");
      freeSince = Number.POSITIVE_INFINITY;
    }
    for (const node of world.nodes.values()) {
      const head = world.history.head(node.balancer);
      if (isAtHead(world, node) || head === undefined || head.revision === 0 || !head.complete) {
        behindSince.delete(node.url);
        continue;
      }
      const since = behindSince.get(node.url) ?? time.nowMs;
      behindSince.set(node.url, since);
      if (time.nowMs - since > patienceMs) world.fault(`6: ${node.url} is left behind`);
    }
    for (const [key, { metadata, kind }] of world.apiserver.objects) {
      const { namespace = "", name, resourceVersion = "0" } = metadata;
      const seen = readSeen(store.get(seenKey({ kind, namespace, name })));
      const isKnown = seen !== undefined && Number(seen.position.resourceVersion) >= Number(resourceVersion);
      const isStranger =
        kind === "Secret" && store.list(usersPartition({ kind, namespace, name }), undefined, 1).entries.length === 0;
      if (isKnown || isStranger || seen?.position.step === 1 || isSameTo(world, key, seen)) continue;
      const since = unknownSince.get(`${key} ${resourceVersion}`) ?? time.nowMs;
      unknownSince.set(`${key} ${resourceVersion}`, since);
      if (time.nowMs - since > patienceMs) world.fault(`6: ${key} at ${resourceVersion} is not seen`);
    }
    if (!world.isOver) time.after(lookEveryMs, look);
  };
  world.time.after(lookEveryMs, look);
}
