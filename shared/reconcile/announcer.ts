/**
 * Tells users where they look: the balancer's addresses in the status of Ingresses and of Services with our
 * loadBalancerClass, and why something is refused, as an annotation and an Event. By the timer, so that no change waits
 * for it; copies share the work by claiming each note.
 */
import type { StatusApi } from "../kubernetes/status-port.ts";
import { contentHash } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import { isContest, parseReferenceKey, type Reference } from "../model/reference.ts";
import type { Check, Entry, Key } from "../store/port.ts";
import { announcementText, maxTries, readAnnouncement } from "./announce.ts";
import { announcePartition, dirtyPartition, hintPartition, seenKey } from "./keys.ts";
import { readSeen, type SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";
import { isTold, toldOf } from "./told.ts";
import { readWant, type Want } from "./want.ts";

const notesPerTick = 1_000;
const notesPerPage = 200;
/** So many times as long as it took to tell of one, while routes are to be brought to the nodes: users wait for those. */
const rests = 3;
const maxRestMs = 500;
/** Copies come at the same time to the same notes: whoever loses one claim has lost this many. */
const perClaim = 10;
/** While something is to be read back or translated, routes come first; not for longer than this. */
const patienceMs = 15_000;
/** Whoever has claimed a note and died with it is followed after this. */
const claimMs = 30_000;
const firstPauseMs = 5_000;

interface Note extends Check {
  readonly tries: number;
  /** As it is to be; null: there is nothing more to tell. */
  readonly text: string | null;
}

export class Announcer {
  readonly #context: Context;
  #isTelling = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Once at a time. Throws what the store throws. */
  async tick(): Promise<void> {
    const { status } = this.#context;
    if (status === undefined || this.#isTelling) return;
    this.#isTelling = true;
    try {
      let after: string | undefined;
      let givesWay = false;
      for (let seen = 0; seen < notesPerTick; seen += notesPerPage) {
        const page = await this.#context.store.list(announcePartition, after, notesPerPage);
        let due = page.entries.filter((entry) => readAnnouncement(entry).due <= this.#context.now());
        while (due.length > 0) {
          givesWay ||= await this.#isBusy();
          if (givesWay) due = due.filter((entry) => this.#hasWaited(entry));
          await this.#announce(status, due.splice(0, perClaim), givesWay ? rests : 0);
        }
        after = page.next;
        if (after === undefined) return;
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #hasWaited(entry: Entry): boolean {
    return this.#context.now() >= readAnnouncement(entry).due + patienceMs;
  }

  async #isBusy(): Promise<boolean> {
    const { store } = this.#context;
    const pages = await Promise.all([hintPartition, dirtyPartition].map((each) => store.list(each, undefined, 1)));
    return pages.some(({ entries }) => entries.length > 0);
  }

  /** Those that no other copy has claimed meanwhile, with a rest of `pace` times as long as it took after each. */
  async #announce(api: StatusApi, entries: readonly Entry[], pace: number): Promise<void> {
    const until = this.#context.now() + claimMs;
    const claimed = await this.#write(
      entries.map((entry) => {
        const { tries } = readAnnouncement(entry);
        return { key: entry.key, version: entry.version, tries, text: announcementText(until, tries) };
      }),
    );
    const told: Note[] = [];
    for (const note of claimed) {
      const begun = this.#context.now();
      // An API that takes so long: the rest is anybody's.
      const isLate = begun > until - claimMs / 2;
      const text = isLate ? announcementText(begun, note.tries) : await this.#outcome(api, note.key, note.tries);
      told.push({ ...note, text });
      const took = this.#context.now() - begun;
      if (pace > 0) await this.#context.kubernetes?.wait(Math.min(maxRestMs, took * pace));
    }
    // Where the object changed meanwhile there is a newer note, and that one stands.
    await this.#write(told);
  }

  /** Those that are still as they were read; as they are now. */
  async #write(notes: readonly Note[]): Promise<readonly Note[]> {
    for (let left = notes; left.length > 0; ) {
      const writes = left.map(({ key, text }) => ({ key, value: text }));
      const result = await this.#context.store.commit(left, writes);
      if (result.ok) return left.map((note) => ({ ...note, version: result.version }));
      const lost = new Set(result.conflicts.map(({ sort }) => sort));
      left = left.filter(({ key }) => !lost.has(key.sort));
    }
    return [];
  }

  /** The note's text from then on. */
  async #outcome(api: StatusApi, key: Key, tries: number): Promise<string | null> {
    const { now, counters, warn } = this.#context;
    try {
      const reference = parseReferenceKey(key.sort);
      if (reference !== undefined) await this.#tell(api, reference);
      return null;
    } catch (error) {
      if (!(error instanceof EntranceError)) throw error;
      counters.add("entrance_announcement_failures_total");
      if (tries === 0) warn(`nobody can be told of ${key.sort}: ${error.message}`);
      return tries + 1 < maxTries ? announcementText(now() + firstPauseMs * 2 ** tries, tries + 1) : null;
    }
  }

  async #tell(api: StatusApi, reference: Reference): Promise<void> {
    const { store, now } = this.#context;
    const [seen, { want }] = await Promise.all([
      store.get(seenKey(reference)).then(readSeen),
      readWant(store, reference),
    ]);
    const { kind } = reference;
    if (seen === undefined || seen.gone || isContest(kind)) return;
    const { uid } = seen;
    if (kind === "Ingress" || kind === "Service") await this.#state(api, kind, reference, seen, want);
    if (want.reasons.length === 0) return;
    const note = want.reasons.join("; ");
    const id = contentHash([uid, note]).slice(0, 16);
    await api.tell({ kind, reference, uid, note, id, now: now() });
  }

  async #state(
    api: StatusApi,
    kind: "Ingress" | "Service",
    reference: Reference,
    seen: SeenRecord,
    want: Want,
  ): Promise<void> {
    const told = await api.read(kind, reference);
    if (told === undefined || told.uid !== seen.uid) return;
    const next = await toldOf(this.#context, reference, seen, want, told);
    if (isTold(told, next)) return;
    await api.write(kind, reference, next);
    this.#context.counters.add("entrance_announcements_total", { kind });
  }
}
