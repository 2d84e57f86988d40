/** A package becomes the content of a store. */
import { emptyDigest } from "../model/digest.ts";
import { EntranceError } from "../model/error.ts";
import { seenKinds } from "../model/reference.ts";
import type { Head } from "../reconcile/head.ts";
import { headKey, lockKey, rulesKey, seenPartition, tickKey } from "../reconcile/keys.ts";
import { type LockRecord, readLock } from "../reconcile/lock.ts";
import type { Rules } from "../reconcile/rules.ts";
import type { Entry, Store, Version, Write } from "../store/port.ts";
import { writeAll } from "./batch.ts";
import { clear } from "./clear.ts";
import { headsOf } from "./heads.ts";
import type { Header, PackageReader } from "./package.ts";

/**
 * Writes a package that was checked. The store is closed meanwhile, and becomes whole with the last commit: until then no
 * copy works on it, and whatever breaks off is begun anew by the same command. Wants come as they are, so that last-good
 * values and who holds a contested name survive; then everything is translated anew, and listed before anything is
 * pushed. Each head's epoch is above the exported one: nodes take this store's word, and no more that of the one before.
 * `replace`: what the store has goes. Throws `invalid` for a store that has something, and what the store throws.
 */
export async function importPackage(
  store: Store,
  now: () => number,
  { header, records }: PackageReader,
  replace: boolean,
): Promise<number> {
  const entry = await store.get(lockKey);
  const lock = readLock(entry);
  const before = new Map((await headsOf(store)).map(({ balancer, head }) => [balancer, head]));
  if (lock.closed?.why !== "importing" && !replace && !(await isEmpty(store, before))) {
    throw new EntranceError(
      "invalid",
      "the store is not empty: name another one (ENTRANCE_ETCD_PREFIX, ENTRANCE_DYNAMODB_TABLE, ENTRANCE_DATA), or " +
        "say --replace, and what it has goes",
    );
  }
  const closing = await closeForImport(store, lock, entry, now());
  await clear(store, [...before.keys()]);
  const written = await writeAll(store, writesOf(records));
  await finish(store, header, before, closing);
  return written;
}

interface Closing {
  readonly lock: LockRecord;
  readonly version: Version;
}

async function closeForImport(store: Store, lock: LockRecord, entry: Entry | undefined, now: number): Promise<Closing> {
  const closed: LockRecord = {
    holder: "",
    fence: lock.fence + 1,
    expires: 0,
    closed: { why: "importing", since: now },
  };
  const result = await store.commit(
    [{ key: lockKey, version: entry?.version ?? null }],
    [{ key: lockKey, value: JSON.stringify(closed) }],
  );
  if (!result.ok) throw new EntranceError("busy", "somebody works on this store: stop it, or try again");
  return { lock: closed, version: result.version };
}

async function finish(
  store: Store,
  { fence, heads, rules }: Header,
  before: ReadonlyMap<string, Head>,
  closing: Closing,
): Promise<void> {
  // A balancer of the settings that the package does not know begins anew.
  const own = [...before].map(([balancer, head]) => [balancer, { ...head, digest: emptyDigest }] as const);
  const next: Readonly<Record<string, Head>> = { ...Object.fromEntries(own), ...heads };
  const open: LockRecord = { holder: "", fence: Math.max(fence, closing.lock.fence) + 1, expires: 0 };
  const writes: Write[] = [
    { key: lockKey, value: JSON.stringify(open) },
    { key: tickKey("list"), value: null },
    ...Object.entries(next).map(([balancer, head]) => ({
      key: headKey(balancer),
      value: JSON.stringify(headOf(head, before.get(balancer))),
    })),
  ];
  // Whoever has these rules, or newer ones, marks everything.
  if (rules !== null)
    writes.push({ key: rulesKey, value: JSON.stringify({ ...rules, marked: false } satisfies Rules) });
  const result = await store.commit([{ key: lockKey, version: closing.version }], writes);
  if (!result.ok)
    throw new EntranceError("busy", "another import into this store began meanwhile: one of them is enough");
}

/** Frozen stays frozen: whoever wants to look before anything is pushed freezes before the export. */
function headOf(head: Head, before: Head | undefined): Head {
  const { format, store, revision, digest, frozen } = head;
  // Above whatever a copy that runs on this store remembers.
  const epoch = Math.max(head.epoch, before?.epoch ?? 0) + 1;
  return { format, store, epoch, revision, digest, complete: false, ...(frozen === undefined ? {} : { frozen }) };
}

async function* writesOf(records: PackageReader["records"]): AsyncGenerator<Write> {
  for await (const { key, value } of records) yield { key, value };
}

/** A copy that was started on it and has heard of nothing leaves it empty. */
async function isEmpty(store: Store, heads: ReadonlyMap<string, Head>): Promise<boolean> {
  if ([...heads.values()].some((head) => head.revision > 0)) return false;
  const seen = await Promise.all(seenKinds.map((kind) => store.list(seenPartition(kind), undefined, 1)));
  return seen.every(({ entries }) => entries.length === 0);
}
