/** The store in etcd, whichever way it is reached. A version is the revision in which the key was last written. */
import { EntranceError } from "../model/error.ts";
import { Deadline } from "./deadline.ts";
import { type EtcdCluster, toEntranceError } from "./etcd-cluster.ts";
import { commitToEtcd, readOnly } from "./etcd-commit.ts";
import { compactEtcd } from "./etcd-compaction.ts";
import { EtcdKeys } from "./etcd-keys.ts";
import { answerTooLarge, EtcdFault, type KeyValue, type Operation, type Range } from "./etcd-transport.ts";
import { Gathered } from "./gathered.ts";
import { checkCommit, checkKey, checkList } from "./limits.ts";
import type { Entry, Key, Page, Store } from "./port.ts";

/** Written beside the data; a later format is refused rather than guessed at. */
const format = "1";

/** A page ends early beyond this many UTF-16 units of values: a worker has 128 MB in all. */
const pageUnits = 4_000_000;
/** Asked for at first; four times as many each time, as long as what comes is small. */
const firstEntries = 32;

type RangeOperation = Extract<Operation, { type: "range" }>;
type Ranges = Gathered<RangeOperation, Range>;

const nothing: Range = { kvs: [], more: false };

/** Nothing is sent before the first call. `compacts`: history that nobody needs is dropped. */
export function openEtcdStore(cluster: EtcdCluster, prefix: string, compacts = true): Store {
  const keys = new EtcdKeys(prefix);
  const ranges: Ranges = new Gathered((asked) => rangesOf(cluster, asked));
  let ready: Promise<void> | undefined;

  /** The format is looked at once in a process's life; a failure is tried again with the next call. */
  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      ready ??= checkFormat(cluster, keys).catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      await ready;
      return await work();
    } catch (error) {
      throw error instanceof EtcdFault ? toEntranceError(error) : error;
    }
  }

  return {
    async get(key) {
      checkKey(key);
      return attempt(async () => {
        const found = await ranges.ask({ type: "range", key: keys.entry(key) });
        return found.kvs.map((kv) => entryOf(key, kv))[0];
      });
    },
    async list(partition, after, limit) {
      checkList(partition, after, limit);
      return attempt(() => readPage(ranges, keys, partition, after, limit));
    },
    async commit(checks, writes) {
      checkCommit(checks, writes);
      return attempt(() => commitToEtcd(cluster, keys, checks, writes));
    },
    async tend(now) {
      if (compacts) await attempt(() => compactEtcd(cluster, keys, now));
    },
    async close() {
      cluster.close();
    },
  };
}

async function checkFormat(cluster: EtcdCluster, keys: EtcdKeys): Promise<void> {
  const key = keys.format;
  const answer = await cluster.untilAnswered(
    {
      compare: [{ type: "mod-is", key, revision: "0" }],
      success: [{ type: "put", key, value: format }],
      failure: [{ type: "range", key }],
    },
    new Deadline(),
  );
  const found = answer.succeeded ? format : answer.ranges[0]?.kvs[0]?.value;
  if (found !== format) {
    const sentence = `the store has format ${found}, and this Entrance reads format ${format}: run the newer Entrance`;
    throw new EntranceError("misconfigured", sentence);
  }
}

async function readPage(
  ranges: Ranges,
  keys: EtcdKeys,
  partition: string,
  after: string | undefined,
  limit: number,
): Promise<Page> {
  const entries: Entry[] = [];
  let units = 0;
  let wanted = firstEntries;
  while (entries.length < limit && units < pageUnits) {
    const { key, end } = keys.range(partition, entries.at(-1)?.key.sort ?? after);
    let found: Range;
    try {
      wanted = Math.min(wanted, limit - entries.length);
      found = await ranges.ask({ type: "range", key, end, limit: wanted });
    } catch (error) {
      // The values grew on the way.
      if (!isTooLarge(error) || wanted === 1) throw error;
      wanted = Math.ceil(wanted / 8);
      continue;
    }
    for (const kv of found.kvs) {
      const entry = entryOf({ partition, sort: keys.sortOf(partition, kv.key) }, kv);
      units += entry.value.length;
      entries.push(entry);
    }
    if (!found.more) return { entries, next: undefined };
    const average = units / entries.length;
    wanted = Math.ceil(Math.min(wanted * 4, (pageUnits - units) / Math.max(1, average)));
  }
  return { entries, next: entries.at(-1)?.key.sort };
}

/** In one request, or where that answer is too large in several. */
async function rangesOf(cluster: EtcdCluster, asked: readonly RangeOperation[]): Promise<readonly Range[]> {
  try {
    const answer = await cluster.untilAnswered(readOnly(...asked), new Deadline());
    return asked.map((_, index) => answer.ranges[index] ?? nothing);
  } catch (error) {
    if (!isTooLarge(error) || asked.length === 1) throw error;
    const middle = Math.ceil(asked.length / 2);
    const halves = [asked.slice(0, middle), asked.slice(middle)].map((half) => rangesOf(cluster, half));
    return (await Promise.all(halves)).flat();
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof EtcdFault && error.message === answerTooLarge;
}

function entryOf(key: Key, { value, mod }: KeyValue): Entry {
  return { key, value, version: mod };
}
