/**
 * Watches every commit. Invariants 1 to 3 of ARCHITECTURE.md, as far as a store shows them: nothing that only goes up
 * goes down, no mark goes unread, and each head's digest is that of all wants at that very moment.
 */
import { contentHash } from "../../../shared/model/canonical.ts";
import { addToDigest, emptyDigest, removeFromDigest } from "../../../shared/model/digest.ts";
import { comparePositions, type Position } from "../../../shared/model/position.ts";
import { isContest, parseReferenceKey } from "../../../shared/model/reference.ts";
import { dirtyPartition, laterPartition, seenKey, usersPartition } from "../../../shared/reconcile/keys.ts";
import { type Entry, type Key, keyText, type Write } from "../../../shared/store/port.ts";
import { planted } from "../secrets.ts";
import type { Commit, ModelStore, StoreWatcher } from "../store.ts";
import { Contests } from "./contests.ts";
import { Routes } from "./routes.ts";
import { readWant } from "./wants.ts";

type Resources = Readonly<Record<string, Readonly<Record<string, { readonly hash: string; readonly value: unknown }>>>>;

interface Head {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
  readonly digest: string;
  readonly complete: boolean;
  readonly frozen?: number;
  readonly replaces?: readonly { readonly store: string }[];
}

type Objects = ReadonlyMap<string, { readonly metadata: { readonly uid: string } }>;

interface Around {
  readonly time: { readonly nowMs: number };
  /** What the cluster has, by name. */
  readonly apiserver: {
    readonly objects: Objects;
    /** By uid: the version of its end. */
    readonly ends: ReadonlyMap<string, string>;
    readonly wentBack: { readonly atMs: number; readonly from: Objects };
  };
}

interface Lock {
  readonly holder: string;
  readonly fence: number;
}

interface Seen {
  readonly position: Position;
  readonly uid: string;
  readonly gone: boolean;
}

/** From an answer of the API to the commit of what it said: a few answers of a slow store. */
const recordingMs = 5_000;

export class HistoryOracle implements StoreWatcher {
  /** Commits that changed something outside of `tick/`, and by whom, for the quiet at the end. */
  readonly changes: string[] = [];
  #isRestored = false;
  /** By object: when a hint of it was left last. */
  readonly hints = new Map<string, number>();
  /** By balancer: since when an operator has its nodes stay as they are. */
  readonly heldSince = new Map<string, number>();
  /** Stores whose nodes an operator has had taken over. */
  readonly replaced = new Set<string>();
  /** How many times everything was listed. */
  wholeLists = 0;
  #finished = 0;
  routes: Routes;
  #contests: Contests;
  readonly #store: ModelStore;
  readonly #around: Around;
  readonly #fault: (sentence: string) => void;
  #sequence = 0;
  #lockIs: Lock = { holder: "", fence: 0 };
  /** By referenceKey: what was wanted last. */
  readonly #wants = new Map<string, Resources>();
  /** By balancer. */
  readonly #digests = new Map<string, string>();
  readonly #heads = new Map<string, Head>();
  /** By balancer, store, epoch and revision: what a node there has to have. */
  readonly #history = new Map<string, Set<string>>();
  /** By object: uids whose end is known. */
  readonly #buried = new Map<string, Set<string>>();
  /** By reader and key or partition: after which commit it was read last. */
  readonly #reads = new Map<string, number>();
  /** Marks that stand for something acknowledged, with their versions; the others are a turn's own. */
  readonly #acknowledged = new Set<string>();
  readonly #floors = new Map<string, Pick<Position, "era" | "resourceVersion">>();

  constructor(store: ModelStore, around: Around, fault: (sentence: string) => void) {
    this.#store = store;
    this.#around = around;
    this.#fault = fault;
    this.routes = new Routes(store, fault);
    this.#contests = new Contests(store, fault);
  }

  /** Whether a node of this balancer may have this at that point of history; a restored store has two of some. */
  isWanted(balancer: string, store: string, epoch: number, revision: number, digest: string): boolean {
    return this.#history.get(`${balancer} ${store} ${epoch} ${revision}`)?.has(digest) === true;
  }

  head(balancer: string): Head | undefined {
    return this.#heads.get(balancer);
  }

  read(by: string, keys: readonly Key[], listed: string | undefined): void {
    for (const key of keys) if (isOfObjects(key.partition)) this.#reads.set(`${by} ${keyText(key)}`, this.#sequence);
    if (listed !== undefined && isOfObjects(listed)) this.#reads.set(`${by} ${listed}`, this.#sequence);
  }

  committed(commit: Commit): void {
    this.#sequence = Number(commit.version);
    if (commit.writes.some(({ value }) => value?.includes(planted))) this.#fault("9: the store has a private key");
    const isTrigger = commit.writes.some(({ key }) => key.partition.startsWith("seen/"));
    commit.writes.forEach((write, index) => {
      const before = commit.before[index];
      const { partition, sort } = write.key;
      this.#contests.written(partition, sort);
      if (partition.startsWith("want/")) this.#want(`${partition.slice(5)}/${sort}`, write.value);
      else if (partition.startsWith("seen/")) {
        this.#seen(keyText(write.key), write.value, before);
        // Who writes it knows it.
        this.#reads.set(`${commit.by} ${keyText(write.key)}`, this.#sequence);
      } else if (partition === "hint") this.hints.set(sort, this.#around.time.nowMs);
      else if (partition === "floor" && write.value !== null) this.#floors.set(sort, JSON.parse(write.value));
      else if (partition.startsWith("node/")) this.#told(write.value);
      else if (partition === "lock") this.#lock(commit.by, write.value);
      else if (partition === dirtyPartition && write.value === null && before !== undefined)
        this.#unmark(commit, before);
      else if (partition === dirtyPartition && isTrigger) this.#trigger(sort, commit.version);
      else if (partition === laterPartition && write.value === null && before !== undefined) this.#due(commit, before);
    });
    // Heads are looked at once all wants of the commit are in.
    for (const { key, value } of commit.writes) {
      if (key.partition === "head" && value !== null) this.#head(decodeURIComponent(key.sort), JSON.parse(value));
    }
    const changed = commit.writes.filter(({ key }) => !/^(tick$|node\/)/.test(key.partition));
    this.routes.check();
    this.#contests.check();
    for (const { key, value } of commit.writes) if (key.sort === "list" && value !== null) this.#listTick(value);
    if (changed.length > 0) this.changes.push(`${commit.by}: ${changed.map(({ key }) => keyText(key)).join(" ")}`);
  }

  /** The store was restored from a backup: what went down did so rightly. */
  restored(): void {
    this.#isRestored = true;
    this.#lockIs = { holder: "", fence: 0 };
    this.#heads.clear();
    this.heldSince.clear();
    this.#wants.clear();
    this.#digests.clear();
    this.routes = new Routes(this.#store, this.#fault);
    this.#contests = new Contests(this.#store, this.#fault);
    this.#buried.clear();
    this.#floors.clear();
    for (const [partition, entries] of this.#store.partitions()) {
      for (const [sort, entry] of entries) {
        if (partition.startsWith("want/")) this.#want(`${partition.slice(5)}/${sort}`, entry.value);
        if (partition.startsWith("seen/")) this.#seen(keyText(entry.key), entry.value, undefined);
        if (partition === "lock") this.#lockIs = JSON.parse(entry.value);
        if (partition !== "head") continue;
        this.#heads.set(decodeURIComponent(sort), JSON.parse(entry.value));
        this.#hold(decodeURIComponent(sort), JSON.parse(entry.value));
      }
    }
  }

  #lock(by: string, value: string | null): void {
    const last = this.#lockIs;
    const next: Lock = JSON.parse(value ?? "{}");
    this.#lockIs = next;
    const isTaken = next.holder !== "" && next.holder !== last.holder;
    if (!(next.fence >= last.fence + Number(isTaken))) {
      this.#fault(`1: the fence goes from ${last.fence} to ${next.fence} as ${next.holder || "nobody"} takes over`);
    }
    const isRobbed = next.holder === "" && last.holder !== "" && !last.holder.startsWith(`${by}-`);
    if (isRobbed) this.#fault(`1: ${by} frees the lock of ${last.holder}`);
  }

  #listTick(value: string): void {
    const { finished } = JSON.parse(value);
    if (finished > this.#finished) this.wholeLists += 1;
    this.#finished = finished;
  }

  /** What an operator reads of a node: a fault of ours is none of the node's. */
  #told(value: string | null): void {
    // A reading that began before a restore and ended after it has of both.
    if (value?.includes("invariant broken") && !this.#isRestored) this.#fault(`3: ${value}`);
  }

  #want(name: string, value: string | null): void {
    const last = this.#wants.get(name) ?? {};
    const next: Resources = value === null ? {} : readWant(this.#store, name, value).resources;
    for (const balancer of new Set([...Object.keys(last), ...Object.keys(next)])) {
      const [old, now] = [last[balancer] ?? {}, next[balancer] ?? {}];
      let digest = this.#digests.get(balancer) ?? emptyDigest;
      for (const [key, { hash }] of Object.entries(old)) {
        if (now[key]?.hash !== hash) digest = removeFromDigest(digest, key, hash);
        if (now[key] === undefined) this.routes.lacks(balancer, key);
      }
      for (const [key, { hash, value: told }] of Object.entries(now)) {
        if (old[key]?.hash === hash) continue;
        if (contentHash(told) !== hash) this.#fault(`3: ${name} wants ${key} with a hash of something else`);
        digest = addToDigest(digest, key, hash);
        this.routes.has(balancer, key, told);
      }
      this.#digests.set(balancer, digest);
    }
    if (value === null) this.#wants.delete(name);
    else this.#wants.set(name, next);
  }

  #head(balancer: string, head: Head): void {
    const last = this.#heads.get(balancer);
    this.#heads.set(balancer, head);
    this.#hold(balancer, head);
    for (const { store } of head.replaces ?? []) this.replaced.add(store);
    if (last !== undefined && last.store !== head.store) this.#fault(`1: the head of ${balancer} has another store`);
    const isLower =
      last !== undefined && (head.epoch < last.epoch || (head.epoch === last.epoch && head.revision < last.revision));
    if (isLower) this.#fault(`1: the head of ${balancer} goes down to ${head.epoch}/${head.revision}`);
    const digest = this.#digests.get(balancer) ?? emptyDigest;
    if (head.digest !== digest) this.#fault(`3: the head of ${balancer} at ${head.revision} is not what is wanted`);
    const name = `${balancer} ${head.store} ${head.epoch} ${head.revision}`;
    this.#history.set(name, (this.#history.get(name) ?? new Set()).add(digest));
  }

  #hold(balancer: string, { frozen }: Head): void {
    if (frozen === undefined) this.heldSince.delete(balancer);
    else if (!this.heldSince.has(balancer)) this.heldSince.set(balancer, this.#around.time.nowMs);
  }

  #seen(name: string, value: string | null, before: Entry | undefined): void {
    if (value === null) return;
    const seen: Seen = JSON.parse(value);
    const last: Seen | undefined = before === undefined ? undefined : JSON.parse(before.value);
    if (last !== undefined && comparePositions(seen.position, last.position) < 0) {
      this.#fault(`1: the position of ${name} goes down to ${seen.position.resourceVersion}`);
    }
    // A cluster that went back to a backup has its dead again.
    const buried = (last?.position.era === seen.position.era && this.#buried.get(name)) || new Set();
    if (seen.gone) buried.add(seen.uid);
    else if (buried.has(seen.uid) && this.#around.apiserver.ends.has(seen.uid))
      this.#fault(`5: ${name} returns from the dead as ${seen.uid}`);
    this.#buried.set(name, buried);
    // A burial alone says nothing of who comes after it.
    const isUnknown = last === undefined || (last.gone && last.position.resourceVersion === "0");
    if (isUnknown && !seen.gone) this.#new(name.slice("seen/".length), seen);
  }

  /** What a LIST did not have, and is not newer, is no news: nothing would tell of its end any more. */
  #new(name: string, { position, uid }: Seen): void {
    const kind = name.split("/")[0] ?? "";
    // A LIST has none of those that nothing refers to.
    if (kind === "Secret") return;
    const floor = this.#floors.get(kind);
    if (floor === undefined || comparePositions(position, { ...floor, step: 2 }) > 0) return;
    const { objects, ends, wentBack } = this.#around.apiserver;
    // It was read before the cluster went back, and is recorded since.
    const isRecent = this.#around.time.nowMs - wentBack.atMs < recordingMs;
    if (isRecent && wentBack.from.get(name)?.metadata.uid === uid) return;
    if (objects.get(name)?.metadata.uid === uid) return;
    // The LIST had it, and what went back to a backup is the store: its end is still to come.
    const end: Position = { era: floor.era, resourceVersion: ends.get(uid) ?? "0", step: 2 };
    if (comparePositions(end, { ...floor, step: 2 }) > 0) return;
    this.#fault(`5: ${name} is taken for alive, and the LIST did not have it`);
  }

  #trigger(sort: string, version: string): void {
    this.#acknowledged.add(`${sort} ${version}`);
    if (this.#store.get({ partition: laterPartition, sort }) !== undefined) {
      this.#fault(`4: ${sort} changed, and is put off all the same`);
    }
  }

  /** A mark goes: whoever takes it off has read its object after the mark was made. */
  #unmark(commit: Commit, mark: Entry): void {
    const reference = parseReferenceKey(mark.key.sort);
    const isPostponed = commit.writes.some((write) => isOf(write, laterPartition, mark) && write.value !== null);
    if (reference === undefined || isPostponed) return;
    if (!this.#acknowledged.has(`${mark.key.sort} ${mark.version}`)) return;
    const read = isContest(reference.kind) ? usersPartition(reference) : keyText(seenKey(reference));
    const lastRead = this.#reads.get(`${commit.by} ${read}`) ?? -1;
    if (lastRead < Number(mark.version)) {
      this.#fault(`2: ${commit.by} takes off the mark of ${mark.key.sort}, which it has not read since`);
    }
  }

  /** A postponed mark goes only to come back as one that is due. */
  #due(commit: Commit, mark: Entry): void {
    if (!commit.writes.some((write) => isOf(write, dirtyPartition, mark) && write.value !== null)) {
      this.#fault(`2: ${commit.by} forgets that ${mark.key.sort} is to be tried again`);
    }
  }
}

/** What is read of an object before its mark is taken off. */
function isOfObjects(partition: string): boolean {
  return partition.startsWith("seen/") || partition.startsWith("users/");
}

function isOf({ key }: Write, partition: string, mark: Entry): boolean {
  return key.partition === partition && key.sort === mark.key.sort;
}
