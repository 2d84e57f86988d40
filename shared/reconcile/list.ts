/** The LIST of everything: it finds what no webhook told, and is the truth about what is not there any more. */
import { EntranceError } from "../model/error.ts";
import type { Absence, SeenReference } from "../model/observation.ts";
import { comparePositions, type Position } from "../model/position.ts";
import { parseReferenceKey, type Reference, referenceKey, type SeenKind, seenKinds } from "../model/reference.ts";
import type { Identity } from "../observe/identity.ts";
import { observeIdentity } from "../observe/list.ts";
import { entriesOf } from "../store/entries.ts";
import { type Entry, maxCommitKeys } from "../store/port.ts";
import { balancerOfLoadBalancer } from "../translate/balancer.ts";
import { type Apply, isBelow, isThisCluster, readListed } from "./cluster.ts";
import { type Floor, readFloor } from "./floor.ts";
import { floorKey, seenKey, seenPartition } from "./keys.ts";
import { claimList, finishList, type ListClaim } from "./list-tick.ts";
import { closed, forgetSecrets, listSecrets } from "./secrets.ts";
import { readSeen } from "./seen.ts";
import type { Context } from "./settings.ts";
import { StatusCheck } from "./status-check.ts";
import type { Reading } from "./trigger.ts";

const itemsPerPage = 500;
const itemsPerApply = 120;
/** Audit events come at most so much later (the apiserver's buffer): until then they may be of before the restore. */
const doubtMs = 300_000;
/** More deletions than these, and than this share of what is known, need a second LIST that says the same. */
const fewDeletions = 50;
const fewDeletionsShare = 0.2;
/** So many differences of one LIST are looked at again; more are many enough to be noticed. */
const maxDoubts = 1_000;
const doubtAgainMs = 60_000;

/** Of what is known of an object no more than a LIST needs. */
interface Known {
  readonly reference: SeenReference;
  readonly entry: Pick<Entry, "key" | "version">;
  readonly uid: string;
  readonly position: Position;
  readonly gone: boolean;
  /** Whose load balancer a Service is. */
  readonly balancer: string | undefined;
}

interface ListedKind {
  readonly kind: SeenKind;
  readonly floor: Floor;
  readonly resourceVersion: string;
  /** Known, not listed, and not newer than the LIST. */
  readonly missing: readonly Known[];
  /** Ends that are known by the LIST alone from now on. */
  readonly ended: readonly Known[];
  /** Secrets that nothing refers to any more. */
  readonly strangers: readonly Known[];
  readonly alive: number;
  readonly changed: readonly SeenReference[];
}

export class Lister {
  readonly #context: Context;
  readonly #apply: Apply;
  /** What the last LIST of this process changed: has anybody told of it since? */
  #doubts: { readonly atMs: number; readonly references: readonly SeenReference[] } | undefined;

  /** Of all that is known. */
  #lastEra = 0;

  constructor(context: Context, apply: Apply) {
    this.#context = context;
    this.#apply = apply;
  }

  /** Lists everything if it is time to, and if it is this copy that does. True: it may have left marks. */
  async tick(): Promise<boolean> {
    await this.#countLost();
    const claim = await claimList(this.#context);
    if (claim === undefined) return false;
    try {
      await finishList(this.#context, claim, await this.#list(claim));
    } catch (error) {
      this.#context.counters.add("entrance_list_failures_total");
      this.#context.warn(`the LIST failed: ${error instanceof Error ? error.message : String(error)}`);
      await finishList(this.#context, claim, "failed");
      if (!(error instanceof EntranceError)) throw error;
    }
    return true;
  }

  async #list(claim: ListClaim): Promise<"whole" | "suspicious" | "failed"> {
    if (!(await isThisCluster(this.#context))) return "failed";
    const kinds: ListedKind[] = [];
    for (const kind of seenKinds) {
      const listed = await this.#listKind(kind, claim);
      if (listed === undefined) {
        await this.#beginEra();
        return this.#list({ ...claim, isAgain: false });
      }
      kinds.push(listed);
    }
    const deletions = kinds.flatMap(({ missing }) => missing);
    const alive = kinds.reduce((sum, each) => sum + each.alive, 0);
    if (deletions.length > Math.max(fewDeletions, alive * fewDeletionsShare) && !claim.isConfirming) {
      this.#context.warn(
        `a LIST has ${deletions.length} of ${alive} objects no more: they stay until another one agrees`,
      );
      return "suspicious";
    }
    for (const listed of kinds) await this.#end(listed, claim);
    for (const listed of kinds) await this.#raise(listed);
    for (const { strangers } of kinds) await forgetSecrets(this.#context, strangers);
    const references = [...kinds.flatMap(({ changed }) => changed), ...deletions.map(({ reference }) => reference)];
    if (claim.isAgain && references.length > 0) {
      this.#doubts = { atMs: this.#context.now(), references: references.slice(0, maxDoubts) };
    }
    return "whole";
  }

  /** Undefined: the cluster went back to before its last LIST. */
  async #listKind(kind: SeenKind, claim: ListClaim): Promise<ListedKind | undefined> {
    const { kubernetes, store } = this.#context;
    if (kubernetes === undefined) throw new EntranceError("misconfigured", "there is no API to list");
    const floor = await readFloor(store, kind);
    const known = await this.#known(kind);
    // All of it happened before this LIST begins, so none of it is newer.
    const newest = newestOf(known.values(), floor.era);
    // Somebody who began before our own store was restored has written what nothing could ever follow.
    if (this.#lastEra > floor.era) return undefined;
    const listed = new Set<string>();
    const changed: SeenReference[] = [];
    let after: string | undefined;
    let resourceVersion: string;
    const alive = [...known.values()].filter((each) => !each.gone);
    const statuses = await StatusCheck.of(this.#context, kind);
    const secrets = kind === "Secret" ? await listSecrets(this.#context, alive) : undefined;
    do {
      const page = secrets ?? (await kubernetes.api.list(kind, itemsPerPage, after === undefined ? {} : { after }));
      resourceVersion = page.resourceVersion;
      if (isBelow(resourceVersion, floor) || isBelow(resourceVersion, newest)) return undefined;
      const items: unknown[] = [];
      const end: Position = { era: floor.era, resourceVersion, step: 2 };
      for (const item of page.items) {
        const identity = observeIdentity(kind, item);
        if (!identity.ok) continue;
        const name = referenceKey(identity.value.reference);
        listed.add(name);
        const last = known.get(name);
        if (last !== undefined && contradicts(last, identity.value, end)) return undefined;
        // The same version of the same object: nothing can have changed.
        const isSame =
          last !== undefined &&
          !last.gone &&
          last.uid === identity.value.uid &&
          last.position.era === floor.era &&
          last.position.step === 0 &&
          last.position.resourceVersion === identity.value.resourceVersion;
        if (isSame) statuses?.look(last.reference, item, last.balancer);
        else items.push(item);
      }
      const read = await readListed(this.#context, kind, { ...page, items }, floor);
      for (let start = 0; start < (read?.length ?? 0); start += itemsPerApply) {
        const batch = read?.slice(start, start + itemsPerApply) ?? [];
        await this.#apply(batch, readingOf(claim, floor, resourceVersion));
        changed.push(...batch.map(({ reference }) => reference));
      }
      after = page.next;
    } while (after !== undefined);
    await statuses?.leaveNotes();
    for (const reference of [...(secrets?.closed ?? []), ...(secrets?.failed ?? [])])
      listed.add(referenceKey(reference));
    for (const stranger of secrets?.strangers ?? []) listed.add(stranger);
    if (secrets !== undefined && secrets.closed.length > 0) {
      const reading = readingOf(claim, floor, resourceVersion);
      await this.#apply(secrets.closed.map(closed), { ...reading, isAgain: false });
    }
    const end: Position = { era: floor.era, resourceVersion, step: 2 };
    const old = [...known.values()].filter(({ position }) => comparePositions(position, end) <= 0);
    return {
      kind,
      floor,
      resourceVersion,
      missing: old.filter((each) => !each.gone && !listed.has(referenceKey(each.reference))),
      ended: old.filter((each) => each.gone && !listed.has(referenceKey(each.reference))),
      alive: alive.length,
      strangers: old.filter((each) => secrets?.strangers.has(referenceKey(each.reference))),
      changed,
    };
  }

  async #known(kind: SeenKind): Promise<Map<string, Known>> {
    this.#lastEra = 0;
    const known = new Map<string, Known>();
    for await (const { key, version, value } of entriesOf(this.#context.store, seenPartition(kind))) {
      const reference = ofKind(kind, parseReferenceKey(`${kind}/${key.sort}`));
      const seen = readSeen({ key, version, value });
      if (reference === undefined || seen === undefined) continue;
      const { uid, position, gone, object } = seen;
      const balancer =
        object?.kind === "Service" ? balancerOfLoadBalancer(object, this.#context.translation) : undefined;
      this.#lastEra = Math.max(this.#lastEra, position.era);
      known.set(referenceKey(reference), {
        reference,
        entry: { key, version },
        uid,
        position,
        gone,
        balancer,
      });
    }
    return known;
  }

  async #end({ missing, resourceVersion, floor }: ListedKind, claim: ListClaim): Promise<void> {
    const position = { resourceVersion, step: 2 } as const;
    for (let start = 0; start < missing.length; start += itemsPerApply) {
      const absences = missing
        .slice(start, start + itemsPerApply)
        .map(({ reference }): Absence => ({ type: "absent", reference, position }));
      await this.#apply(absences, readingOf(claim, floor, resourceVersion));
    }
  }

  /** The floor first: what the tombstones were kept for is a hint from then on. */
  async #raise({ kind, floor, resourceVersion, ended }: ListedKind): Promise<void> {
    const { store, now } = this.#context;
    const { doubtUntil } = floor;
    const next: Floor = {
      era: floor.era,
      resourceVersion,
      ...(doubtUntil !== undefined && now() < doubtUntil ? { doubtUntil } : {}),
    };
    const entry = await store.get(floorKey(kind));
    const isAsRead = JSON.stringify(await readFloor(store, kind)) === JSON.stringify(floor);
    if (!isAsRead) return;
    if (JSON.stringify(next) !== JSON.stringify(floor)) {
      const key = floorKey(kind);
      const result = await store.commit(
        [{ key, version: entry?.version ?? null }],
        [{ key, value: JSON.stringify(next) }],
      );
      if (!result.ok) return;
    }
    for (let start = 0; start < ended.length; start += maxCommitKeys) {
      const gone = ended.slice(start, start + maxCommitKeys).map(({ entry: tombstone }) => tombstone);
      // What changed meanwhile is no tombstone any more, or a newer one: the next LIST looks again.
      await store.commit(
        gone.map(({ key, version }) => ({ key, version })),
        gone.map(({ key }) => ({ key, value: null })),
      );
    }
  }

  async #beginEra(): Promise<void> {
    const { store, now, warn, counters } = this.#context;
    const floors = await Promise.all(seenKinds.map((kind) => readFloor(store, kind)));
    const era = Math.max(this.#lastEra, ...floors.map((floor) => floor.era)) + 1;
    warn("the cluster went back to an earlier state: from now on what it lists counts, whatever was known");
    counters.add("entrance_eras_total");
    const value = JSON.stringify({ era, resourceVersion: "0", doubtUntil: now() + doubtMs } satisfies Floor);
    await store.commit(
      [],
      seenKinds.map((kind) => ({ key: floorKey(kind), value })),
    );
  }

  async #countLost(): Promise<void> {
    const doubts = this.#doubts;
    const { store, now, counters } = this.#context;
    if (doubts === undefined || now() - doubts.atMs < doubtAgainMs) return;
    this.#doubts = undefined;
    let lost = 0;
    for (const reference of doubts.references) {
      const entry = await store.get(seenKey(reference));
      if (readSeen(entry)?.listed === true) lost += 1;
    }
    if (lost > 0) counters.add("entrance_lost_events_total", {}, lost);
  }
}

/** Of the first one all counts as a whole, since nothing is pushed before it; what others miss the next one finds. */
function readingOf({ isAgain, link }: ListClaim, { era }: Floor, resourceVersion: string): Reading {
  return { era, resourceVersion, takesLock: false, isAgain, ...(isAgain ? {} : { link }) };
}

function newestOf(known: Iterable<Known>, era: number): Pick<Position, "resourceVersion"> {
  let newest: Position = { era, resourceVersion: "0", step: 0 };
  for (const { position } of known) {
    if (position.era === era && comparePositions(position, newest) > 0) newest = position;
  }
  return newest;
}

/**
 * Known at a version that this LIST includes, it is listed at an earlier one, or lives again: the cluster went back to a
 * backup, and has come further since than where its last LIST was. Of two uids that had one name, too, the one that is
 * there has the later version.
 */
function contradicts({ uid, position, gone }: Known, listed: Identity, end: Position): boolean {
  if (position.era !== end.era || comparePositions(position, end) > 0) return false;
  const { resourceVersion = "0" } = listed;
  return (gone && uid === listed.uid) || isBelow(resourceVersion, position);
}

function ofKind(kind: SeenKind, reference: Reference | undefined): SeenReference | undefined {
  return reference === undefined ? undefined : { ...reference, kind };
}
