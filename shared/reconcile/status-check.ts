/** A LIST shows what users are told: whom it shows something wrong, or nothing, is told once more. */
import type { StatusApi, Told } from "../kubernetes/status-port.ts";
import type { SeenReference } from "../model/observation.ts";
import { referenceKey } from "../model/reference.ts";
import { entriesOf } from "../store/entries.ts";
import { maxCommitKeys, type Write } from "../store/port.ts";
import { announcementText, maxTries } from "./announce.ts";
import { announceKey, announcePartition, refusedPartition, seenKey } from "./keys.ts";
import { readSeen } from "./seen.ts";
import type { Context } from "./settings.ts";
import { isTold, isUsual, toldOf } from "./told.ts";
import { readWant } from "./want.ts";

/** So many of one kind are looked at more closely; the others by the next LIST. */
const maxDoubtful = 10_000;

interface Doubtful {
  readonly reference: SeenReference;
  readonly told: Told;
}

export class StatusCheck {
  readonly #context: Context;
  readonly #api: StatusApi;
  readonly #kind: "Ingress" | "Service";
  readonly #refused: ReadonlySet<string>;
  readonly #doubtful: Doubtful[] = [];

  private constructor(context: Context, api: StatusApi, kind: "Ingress" | "Service", refused: ReadonlySet<string>) {
    this.#context = context;
    this.#api = api;
    this.#kind = kind;
    this.#refused = refused;
  }

  /** Undefined: nobody is told anything of this kind's objects. Throws what the store throws. */
  static async of(context: Context, kind: string): Promise<StatusCheck | undefined> {
    const { status, store } = context;
    if (status === undefined || (kind !== "Ingress" && kind !== "Service")) return undefined;
    const refused = new Set<string>();
    for await (const { key } of entriesOf(store, refusedPartition)) refused.add(key.sort);
    return new StatusCheck(context, status, kind, refused);
  }

  /** `item`: as the API lists it, unchanged since it was seen. `balancer`: whose load balancer a Service is. */
  look(reference: SeenReference, item: unknown, balancer: string | undefined): void {
    const told = this.#api.stated(item);
    if (told === undefined || this.#doubtful.length === maxDoubtful) return;
    const isRefused = this.#refused.has(referenceKey(reference));
    if (isRefused || !isUsual(this.#context, this.#kind, told, balancer)) {
      this.#doubtful.push({ reference, told });
    }
  }

  /** One try each: the next LIST finds what it did not help. Throws what the store throws. */
  async leaveNotes(): Promise<void> {
    const wrong: SeenReference[] = [];
    for (const { reference, told } of this.#doubtful) {
      if (!(await this.#isTold(reference, told))) wrong.push(reference);
    }
    if (wrong.length === 0) return;
    const { store, now } = this.#context;
    const noted = new Set<string>();
    for await (const { key } of entriesOf(store, announcePartition)) noted.add(key.sort);
    const writes = wrong
      .filter((reference) => !noted.has(referenceKey(reference)))
      .map((reference): Write => ({ key: announceKey(reference), value: announcementText(now(), maxTries - 1) }));
    for (let start = 0; start < writes.length; start += maxCommitKeys) {
      await store.commit([], writes.slice(start, start + maxCommitKeys));
    }
  }

  async #isTold(reference: SeenReference, told: Told): Promise<boolean> {
    const { store } = this.#context;
    const [entry, { want }] = await Promise.all([store.get(seenKey(reference)), readWant(store, reference)]);
    const seen = readSeen(entry);
    if (seen === undefined || seen.gone || seen.uid !== told.uid) return true;
    return isTold(told, await toldOf(this.#context, reference, seen, want, told));
  }
}
