/** What the API answers, as observations; and whether it still is the cluster that this store is about. */
import * as v from "valibot";
import type { ListPage } from "../kubernetes/port.ts";
import type { Absence, Observation } from "../model/observation.ts";
import { isSent } from "../model/observation.ts";
import { comparePositions, parseResourceVersion } from "../model/position.ts";
import type { SeenKind } from "../model/reference.ts";
import { observeListed } from "../observe/list.ts";
import type { Floor } from "./floor.ts";
import { clusterKey, refusedPartition } from "./keys.ts";
import { readRecord } from "./record.ts";
import { refusedText } from "./refused.ts";
import type { Context } from "./settings.ts";
import type { Reading } from "./trigger.ts";

/** Records what was read, and lets a turn follow. */
export type Apply = (observations: readonly (Observation | Absence)[], reading: Reading) => Promise<void>;

export type Read = Extract<Observation, { type: "object" | "unusable" }>;

const schema = v.object({ id: v.string() });
const strangeKey = { partition: refusedPartition, sort: "Cluster//" };

/** The items that can be named; undefined: the answer is older than what a LIST has told before. */
export async function readListed(
  context: Context,
  kind: SeenKind,
  { items, resourceVersion }: ListPage,
  floor: Floor,
): Promise<Read[] | undefined> {
  if (isBelow(resourceVersion, floor)) return undefined;
  const read: Read[] = [];
  for (const item of items) {
    const observed = observeListed(kind, item, { prefix: context.translation.prefix });
    if (!observed.ok) {
      context.counters.add("entrance_unreadable_items_total", { kind });
      continue;
    }
    const { value } = observed;
    read.push(isSent(value) ? { ...value, object: await context.secrets.keep(value.object) } : value);
  }
  return read;
}

/** Never so while the cluster's own store goes on: it was restored from a backup. */
export function isBelow(resourceVersion: string, floor: Pick<Floor, "resourceVersion">): boolean {
  const position = (version: string) =>
    ({ era: 0, resourceVersion: parseResourceVersion(version) ?? "0", step: 0 }) as const;
  return comparePositions(position(resourceVersion), position(floor.resourceVersion)) < 0;
}

/** Remembers the cluster that is met first. Of another one at the same address nothing is taken, and the status says so. */
export async function isThisCluster(context: Context): Promise<boolean> {
  const { kubernetes, store, now, warn } = context;
  if (kubernetes === undefined) return false;
  const [id, entry] = await Promise.all([kubernetes.api.clusterId(), store.get(clusterKey)]);
  if (entry === undefined) {
    const result = await store.commit(
      [{ key: clusterKey, version: null }],
      [{ key: clusterKey, value: JSON.stringify({ id }) }],
    );
    // Another work of the first seconds has told it just now: does it agree?
    return result.ok || isThisCluster(context);
  }
  const isSame = readRecord(schema, entry).id === id;
  const told = await store.get(strangeKey);
  if (!isSame) {
    warn(strange);
    if (told === undefined)
      await store.commit([], [{ key: strangeKey, value: refusedText([strange], now(), undefined) }]);
  } else if (told !== undefined) {
    await store.commit([], [{ key: strangeKey, value: null }]);
  }
  return isSame;
}

const strange =
  "another cluster answers at the address of the Kubernetes API: point ENTRANCE_KUBE_API at the cluster that this " +
  "store is about, or give this cluster a store of its own";
