/** Entrance itself, as its doors call it: observe, review, tick. */
import { EntranceError } from "../model/error.ts";
import { isSent, type Observation, type SentObservation } from "../model/observation.ts";
import { describeReference } from "../model/reference.ts";
import { maxCommitKeys, type Write } from "../store/port.ts";
import type { Problem } from "../translate/translation.ts";
import { Announcer } from "./announcer.ts";
import type { Apply } from "./cluster.ts";
import { completeHeads } from "./complete.ts";
import { Heard } from "./heard.ts";
import { leaveHints, wishOf } from "./hint.ts";
import { lockKey, referredKey, refusedEventKey } from "./keys.ts";
import type { OnReferred } from "./ledger.ts";
import { Lister } from "./list.ts";
import { freeLeftOver, type HeldLock, readLock, refuseClosed } from "./lock.ts";
import { Pusher } from "./push.ts";
import { ReadBack } from "./read-back.ts";
import { refusedText } from "./refused.ts";
import { tick, workDue } from "./repair.ts";
import { newProblemsOf } from "./review.ts";
import { ensureHeads, ensureRules, markWhereRulesChanged } from "./rules.ts";
import type { Recorded } from "./seen.ts";
import type { Context } from "./settings.ts";
import { CertificateEnds } from "./survey-certificates.ts";
import { type Triggered, trigger } from "./trigger.ts";
import { runTurns } from "./turn.ts";

export class Entrance {
  readonly context: Context;
  readonly pusher: Pusher;
  readonly heard: Heard;
  readonly certificateEnds: CertificateEnds;
  readonly #readBack: ReadBack;
  readonly #lister: Lister;
  readonly #announcer: Announcer;
  #isReady: Promise<void> | undefined;
  #isReading = false;

  constructor(context: Context) {
    this.context = context;
    this.pusher = new Pusher(context);
    this.heard = new Heard(context);
    this.certificateEnds = new CertificateEnds(context);
    const apply: Apply = async (observations, reading) => this.#follow(await trigger(context, observations, reading));
    this.#readBack = new ReadBack(context, apply);
    this.#lister = new Lister(context, apply);
    this.#announcer = new Announcer(context);
  }

  /** When it returns, everything is durable; the nodes follow after the answer. Throws `busy`, and what the store throws. */
  async observe(observations: readonly Observation[]): Promise<Triggered["counts"]> {
    await this.#ready();
    const triggered = await trigger(this.context, observations);
    this.#follow(triggered);
    if (this.context.kubernetes !== undefined) {
      for (const hint of triggered.hints) this.context.host.after(() => this.#readBack.at(hint, undefined));
    }
    return triggered.counts;
  }

  /**
   * A review is about to be allowed. Where there is an API, the object is read back from it after the answer, since
   * others may still deny it; the hint of it is durable before. Otherwise what is allowed counts as seen.
   */
  async reviewed(observation: Extract<Observation, { type: "object" | "gone" | "hint" }>): Promise<void> {
    const { kubernetes, host } = this.context;
    if (kubernetes === undefined) {
      await this.observe([observation]);
      return;
    }
    const wish = wishOf(observation);
    await leaveHints(this.context, [observation.reference], wish);
    host.after(() => this.#readBack.at(observation.reference, wish));
  }

  #follow({ lock, recorded }: Triggered): void {
    if (lock !== undefined) this.context.host.after(() => this.resume(lock, recorded), lock);
  }

  /** Works off the marks under a lock that this process, or another one, has taken. Never throws. */
  resume(lock: HeldLock, recorded: readonly Recorded[] = []): Promise<void> {
    return runTurns(this.context, lock, (committed) => this.pusher.committed(committed), this.#onReferred, recorded);
  }

  readonly #onReferred: OnReferred = (secrets) => {
    for (const secret of secrets) {
      this.context.host.after(() => this.#readBack.at(secret, undefined, referredKey(secret)));
    }
  };

  /** What is secret in it is sealed, so that it may be stored. */
  async keep({ object, ...observation }: SentObservation): Promise<Extract<Observation, { type: "object" }>> {
    return { ...observation, object: await this.context.secrets.keep(object) };
  }

  /** `before`: the object as it was, if this is an update. Faults that it had already do not deny. */
  async problemsOf(
    observation: Extract<Observation, { type: "object" }>,
    before?: () => Extract<Observation, { type: "object" }> | SentObservation | undefined,
  ): Promise<readonly Problem[]> {
    try {
      return await newProblemsOf(this.context, observation, async () => {
        const found = before?.();
        return found !== undefined && isSent(found) ? await this.keep(found) : found;
      });
    } catch (error) {
      // A fault of ours denies nobody anything, and what is allowed must be seen all the same.
      if (error instanceof EntranceError && error.code !== "internal") throw error;
      const { reference } = observation;
      this.context.counters.add("entrance_translation_faults_total", { kind: reference.kind });
      this.context.warn(`the review of ${describeReference(reference)}: ${sentenceOf(error)}`);
      return [];
    }
  }

  /** Keeps the reasons of events that name no object, for the status: the last ones, in a fixed number of places. */
  async refuse(unusable: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
    const writes = new Map<string, Write>();
    for (const { id, reason } of unusable) {
      const key = refusedEventKey(id);
      const value = refusedText([`event ${id}: ${reason}`], this.context.now(), undefined);
      writes.set(key.sort, { key, value });
    }
    await this.context.store.commit([], [...writes.values()].slice(0, maxCommitKeys));
  }

  /** Throws `busy` where the store is closed, and what the store throws. */
  async tick(): Promise<void> {
    this.context.host.wakeAt(this.context.now() + this.context.timing.timerMs);
    refuseClosed(readLock(await this.context.store.get(lockKey)));
    await this.#ready();
    // An API that does not answer holds up nothing else.
    if (this.context.kubernetes !== undefined) this.context.host.after(() => this.#read());
    await markWhereRulesChanged(this.context);
    await tick(this.context, this.pusher, this.#onReferred);
    if (this.context.status !== undefined) this.context.host.after(() => this.#announcer.tick());
  }

  /** What is to be read back, and the LIST of everything; once at a time. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      await this.#readBack.tick();
      if (!(await this.#lister.tick())) return;
      await workDue(this.context, this.pusher, this.#onReferred);
      await completeHeads(this.context);
      await this.pusher.repair(false);
    } finally {
      this.#isReading = false;
    }
  }

  /** Once in a process's life; a failure is tried again with the next call. */
  #ready(): Promise<void> {
    this.#isReady ??= this.#prepare().catch((error: unknown) => {
      this.#isReady = undefined;
      throw error;
    });
    return this.#isReady;
  }

  async #prepare(): Promise<void> {
    if (this.context.isSoleWriter) await freeLeftOver(this.context);
    await ensureHeads(this.context);
    await ensureRules(this.context);
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
