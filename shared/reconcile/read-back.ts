/** Reads objects back from the API: at once after an answer, again with growing pauses, and then by the timer. */
import type { ListPage } from "../kubernetes/port.ts";
import { contentHash } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import type { SeenReference } from "../model/observation.ts";
import { isContest, type Reference, referenceKey } from "../model/reference.ts";
import { observeIdentity } from "../observe/list.ts";
import { entriesOf } from "../store/entries.ts";
import type { Entry, Key } from "../store/port.ts";
import { type Apply, isThisCluster, type Read, readListed } from "./cluster.ts";
import { type Floor, floorIn, readFloor } from "./floor.ts";
import { type Found, type Hint, isMet, readHint, type Wanted } from "./hint.ts";
import { hinted, hintKey, hintPartition } from "./keys.ts";
import { type Known, readKnown } from "./known.ts";
import { listSoon } from "./list-tick.ts";
import { closed, isForbidden, isReferredTo } from "./secrets.ts";
import type { Context } from "./settings.ts";

/** Measured: an object can be read back about when its write returns, mostly a few milliseconds after our answer. */
const pausesMs = [0, 2, 3, 5, 10, 20, 50, 100, 200, 400, 800];
/** Where nobody knows what to wait for. */
const pausesOfAny = 7;
/**
 * So often what should be there is asked for by GET, which the apiserver answers from its store. It answers a LIST once
 * its cache has heard of every write to the cluster before, of any kind; of those that are not the object's own it hears
 * when it asks, each 100 ms (k8s.io/apiserver, storage/cacher/progress).
 */
const gets = 8;
/** Then by the timer, whose period is the least; a write takes no longer than the apiserver's own time limit, 60 s. */
const laterMs = [3_000, 5_000, 10_000, 20_000, 30_000];
/** So many objects are read back side by side in one process; others wait, and the timer comes back to what is too much. */
const maxAtOnce = 64;
const maxWorks = 4_096;
const hintsPerTick = 256;

interface Work {
  wish: Wanted | undefined;
  /** Somebody was told of it again since it was read last. */
  isNew: boolean;
}

export class ReadBack {
  readonly #context: Context;
  readonly #apply: Apply;
  readonly #works = new Map<string, Work>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(context: Context, apply: Apply) {
    this.#context = context;
    this.#apply = apply;
  }

  /** After the answer to whoever told of it; the hint is durable, at `key`. Never rejects. */
  async at(reference: SeenReference, wish: Wanted | undefined, key: Key = hintKey(reference)): Promise<void> {
    const name = key.sort;
    const known = this.#works.get(name);
    if (known !== undefined) {
      // Of two reviews the later one counts; something that was committed is read by whichever comes next.
      if (wish !== undefined) known.wish = wish;
      known.isNew = true;
      return;
    }
    if (this.#works.size >= maxWorks) return;
    const work: Work = { wish, isNew: false };
    this.#works.set(name, work);
    // Whoever ends gives its place to the first that waits.
    if (this.#running < maxAtOnce) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await this.#run(reference, key, work);
    } catch (error) {
      // The hint stands, and the timer finds it.
      this.#context.counters.add("entrance_read_back_failures_total");
      if (!(error instanceof EntranceError)) throw error;
    } finally {
      this.#works.delete(name);
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** By the timer: hints whose owner died, or whose object has not come yet. */
  async tick(): Promise<void> {
    const { store, now } = this.#context;
    const due: Entry[] = [];
    for await (const entry of entriesOf(store, hintPartition)) {
      if (readHint(entry).due <= now()) due.push(entry);
      if (due.length === hintsPerTick) break;
    }
    await Promise.all(due.map((entry) => this.#retry(entry)));
  }

  async #run(reference: SeenReference, key: Key, work: Work): Promise<void> {
    const { store, kubernetes } = this.#context;
    for (let pause = 0; pause < pausesMs.length; pause += 1) {
      if (work.isNew) {
        work.isNew = false;
        pause = 0;
      }
      if (pause > 0) await kubernetes?.wait(pausesMs[pause] ?? 0);
      const [entry, known] = await Promise.all([store.get(key), readKnown(this.#context, reference)]);
      const floor = floorIn(known.floor);
      const { wish } = work;
      const isExpected = wish?.what === "there" && reference.kind !== "Secret" && pause < gets;
      const present = isExpected ? await this.#get(reference, known, wish) : undefined;
      if (present === "not yet") continue;
      const found = present ?? (await this.#read(reference, floor));
      if (found === undefined) return;
      const isEnough = isMet(work.wish, found) || (work.wish?.what === "any" && pause >= pausesOfAny);
      if (found.type === "stranger" && !isEnough) return;
      if (!isEnough || work.isNew) continue;
      if (entry === undefined) return;
      await store.commit([{ key: entry.key, version: entry.version }], [{ key: entry.key, value: null }]);
      // Where somebody else was told of it meanwhile, they read it back themselves.
      if (!work.isNew) return;
    }
  }

  async #retry(entry: Entry): Promise<void> {
    const { store, now, counters } = this.#context;
    const reference = seenReference(hinted(entry.key.sort));
    const hint = readHint(entry);
    const wait = laterMs[hint.tries];
    if (reference === undefined || wait === undefined) {
      counters.add("entrance_read_backs_given_up_total");
      await store.commit([{ key: entry.key, version: entry.version }], [{ key: entry.key, value: null }]);
      return;
    }
    const next: Hint = { ...hint, tries: hint.tries + 1, due: now() + wait };
    const claimed = await store.commit(
      [{ key: entry.key, version: entry.version }],
      [{ key: entry.key, value: JSON.stringify(next) }],
    );
    if (!claimed.ok) return;
    try {
      const found = await this.#read(reference, await readFloor(store, reference.kind));
      if (found === undefined || !(hint.wanted?.what === "any" || isMet(hint.wanted, found))) return;
      await store.commit([{ key: entry.key, version: claimed.version }], [{ key: entry.key, value: null }]);
    } catch (error) {
      counters.add("entrance_read_back_failures_total");
      if (!(error instanceof EntranceError)) throw error;
    }
  }

  /** Undefined: a LIST can tell more. "not yet": what was reviewed is not there, nor anything newer. */
  async #get(reference: SeenReference, known: Known, wish: Wanted): Promise<Found | "not yet" | undefined> {
    const { kind, namespace, name } = reference;
    const floor = floorIn(known.floor);
    const { kubernetes } = this.#context;
    let item: unknown;
    try {
      item = await kubernetes?.api.get(kind, { namespace, name });
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
    if (item === undefined) return "not yet";
    const identity = observeIdentity(kind, item);
    const resourceVersion = identity.ok ? identity.value.resourceVersion : undefined;
    if (resourceVersion === undefined) return undefined;
    // It is at least so new. What is below the floor may be of a cluster that went back: that takes a LIST to tell.
    const page: ListPage = { resourceVersion, items: [item], next: undefined };
    const read = await readListed(this.#context, kind, page, floor);
    const [observation] = read ?? [];
    if (observation === undefined || referenceKey(observation.reference) !== referenceKey(reference)) return undefined;
    const found = presentOf(observation);
    if (!isMet(wish, found)) return "not yet";
    await this.#apply([observation], { era: floor.era, resourceVersion, takesLock: true, isAgain: false, known });
    return found;
  }

  /**
   * Undefined: what the API says cannot be taken as it is; everything is listed soon. The floor is read before the
   * object: an era that goes up meanwhile is newer than what was read.
   */
  async #read(reference: SeenReference, floor: Floor): Promise<Found | undefined> {
    const { kubernetes, store } = this.#context;
    if (kubernetes === undefined) return undefined;
    const { kind, name } = reference;
    // The kind as a whole.
    if (name === "") {
      await listSoon(this.#context);
      return { type: "absent" };
    }
    if (kind === "Secret" && !(await isReferredTo(store, reference))) return { type: "stranger" };
    const page = await this.#page(reference, floor);
    if (page === undefined) {
      const reading = { era: floor.era, resourceVersion: floor.resourceVersion, takesLock: true, isAgain: false };
      await this.#apply([closed(reference)], reading);
      return { type: "closed" };
    }
    const read = await readListed(this.#context, kind, page, floor);
    if (read === undefined) {
      await listSoon(this.#context);
      return undefined;
    }
    const [observation] = read.filter((each) => referenceKey(each.reference) === referenceKey(reference));
    const { resourceVersion: asOf } = page;
    const reading = { era: floor.era, resourceVersion: asOf, takesLock: true, isAgain: false };
    if (observation === undefined) {
      if (!(await isThisCluster(this.#context))) return undefined;
      const position = { resourceVersion: asOf, step: 2 } as const;
      await this.#apply([{ type: "absent", reference, position }], reading);
      return { type: "absent" };
    }
    await this.#apply([observation], reading);
    return presentOf(observation);
  }

  /** Undefined: a Secret that no role allows to read. */
  async #page({ kind, namespace, name }: SeenReference, floor: Floor): Promise<ListPage | undefined> {
    const { kubernetes } = this.#context;
    const named = { namespace, name };
    try {
      if (kind === "Secret") {
        // Of one that is there nobody need know more of when than that the last LIST came before.
        const page = await kubernetes?.api.list(kind, 1, { named, since: floor.resourceVersion });
        if (page?.items.length !== 0) return page;
      }
      return await kubernetes?.api.list(kind, 1, { named });
    } catch (error) {
      if (kind === "Secret" && isForbidden(error)) return undefined;
      throw error;
    }
  }
}

function presentOf(observation: Read): Found {
  const content = observation.type === "object" ? observation.object : [observation.reason];
  const { uid, position } = observation;
  return { type: "present", uid, resourceVersion: position.resourceVersion, hash: contentHash(content) };
}

function seenReference(reference: Reference | undefined): SeenReference | undefined {
  return reference === undefined || isContest(reference.kind) ? undefined : { ...reference, kind: reference.kind };
}
