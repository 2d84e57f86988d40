/** One object under the lock: read, translate, stage. Everything that it claims of others is translated first. */
import { EntranceError, invariant } from "../model/error.ts";
import { isContest, parseReferenceKey, type Reference, referenceKey } from "../model/reference.ts";
import type { Entry } from "../store/port.ts";
import { type Claim, type Holding, maxRounds } from "../translate/translation.ts";
import { answer } from "./answer.ts";
import { seenKey, usersPartition } from "./keys.ts";
import { type Ledger, LockLost } from "./ledger.ts";
import { type Found, isClaimable, stageOutcome } from "./outcome.ts";
import { postpone } from "./postpone.ts";
import { register } from "./register.ts";
import { resealed } from "./reseal.ts";
import type { Context } from "./settings.ts";
import { stageReadAhead } from "./stage-want.ts";
import { claimsOf, usersIn } from "./users.ts";
import { readWant } from "./want.ts";

/** An object that is being translated. */
interface Progress {
  /** Somebody has claimed of it since its claims were read: what is made of them is not right any more. */
  isStale: boolean;
}

/** Whoever claims of an object in the middle of its own translation has it translated within; not again within that. */
const maxNested = 2;
/** Each time somebody claimed something new meanwhile. */
const maxAnew = 3;

export class Stepper {
  readonly #context: Context;
  readonly #ledger: Ledger;
  /** By referenceKey; the innermost last. */
  readonly #inProgress = new Map<string, Progress[]>();

  constructor(context: Context, ledger: Ledger) {
    this.#context = context;
    this.#ledger = ledger;
  }

  /** Translates an object whose mark was listed. */
  async marked(mark: Entry): Promise<void> {
    const reference = parseReferenceKey(mark.key.sort);
    if (reference === undefined) {
      await this.#ledger.stage(() => ({ writes: [{ key: mark.key, value: null }] }));
      return;
    }
    if (!this.#ledger.marks.isDone(mark)) await this.#run(reference, { mark });
  }

  /** Translates an object because another one is about to read it, or stands behind it, whatever its mark. */
  async #also(reference: Reference, asker?: Reference): Promise<void> {
    await this.#run(reference, { asker });
  }

  /** Translates what something new is claimed of, before the claimant reads the answer and its rules lead there. */
  async #claimed(reference: Reference, asker: Reference | undefined): Promise<void> {
    const around = this.#inProgress.get(referenceKey(reference)) ?? [];
    for (const progress of around) progress.isStale = true;
    if (around.length < maxNested) await this.#run(reference, { asker, within: true });
  }

  async #run(
    reference: Reference,
    from: { mark?: Entry; asker?: Reference | undefined; within?: boolean },
  ): Promise<void> {
    const name = referenceKey(reference);
    const around = this.#inProgress.get(name) ?? [];
    if (around.length > 0 && from.within !== true) return;
    const progress: Progress = { isStale: false };
    this.#inProgress.set(name, [...around, progress]);
    try {
      await this.#ledger.keep();
      await this.#ledger.marks.open(reference, from.mark);
      for (let anew = 0; !(await this.#translate(reference, from.asker, progress)); anew += 1) {
        // Its mark stands, and the next round does it.
        if (anew === maxAnew) return;
        await this.#ledger.marks.open(reference);
      }
      this.#ledger.marks.close(reference);
    } catch (error) {
      if (error instanceof LockLost || isOfTheStore(error)) throw error;
      await postpone(this.#context, this.#ledger, reference, error);
    } finally {
      if (around.length > 0) this.#inProgress.set(name, around);
      else this.#inProgress.delete(name);
    }
  }

  /** False: its claims changed before the outcome was staged; it is to be done anew. */
  async #translate(reference: Reference, asker: Reference | undefined, progress: Progress): Promise<boolean> {
    progress.isStale = false;
    const ledger = this.#ledger;
    const [entry, { want: before }, users] = await Promise.all([
      isContest(reference.kind) ? undefined : ledger.get(seenKey(reference)),
      readWant(ledger, reference),
      isClaimable(reference) ? ledger.listAll(usersPartition(reference)).then(usersIn) : [],
    ]);
    const seen = await resealed(this.#context, reference, entry);
    // Who reads it from now on is to see it sealed by the key that stands in its hash.
    if (reference.kind === "Secret") ledger.readings.forget(seenKey(reference));
    // What this very turn gave away is given again when an older claim turns up: claims of one turn are new together,
    // so that on a full translation the oldest object wins, in whatever order marks are listed.
    const isSettled = before.holding !== undefined && before.heldSince !== ledger.fence;
    const generator = this.#context.translate(
      {
        reference,
        ...(seen?.object === undefined || seen.gone ? {} : { object: seen.object }),
        claims: claimsOf(users, referenceKey),
        ...(isSettled && before.holding !== undefined ? { holding: before.holding } : {}),
      },
      this.#context.translation,
    );
    const uses: Record<string, Claim | null> = {};
    let next = generator.next();
    for (let round = 0; next.done !== true; round += 1) {
      invariant(round < maxRounds, "a translation never stops asking");
      const reads = next.value;
      const claimed = await register(this.#context, ledger, reference, reads, before.unfinished === true);
      // Whoever reads right after this need not be told that something changed; who has read before must be.
      for (const each of claimed) await this.#claimed(each, referenceKey(each) in uses ? undefined : reference);
      for (const each of reads) {
        const key = referenceKey(each.reference);
        uses[key] = each.claim ?? uses[key] ?? null;
      }
      const answered = await Promise.all(reads.map((each) => answer(ledger, reference, each.reference)));
      for (const each of answered) {
        if (each.seen !== undefined) await stageReadAhead(this.#context, ledger, each.answer.reference, each.seen);
      }
      next = generator.next(answered.map((each) => each.answer));
    }
    return this.#stage({ reference, seen, users, uses, translation: next.value }, asker, progress);
  }

  async #stage(found: Found, asker: Reference | undefined, progress: Progress): Promise<boolean> {
    const first = async (users: readonly Reference[]): Promise<void> => {
      for (const user of users) await this.#also(user);
    };
    const affected = await stageOutcome(this.#context, this.#ledger, found, asker, first, () => progress.isStale);
    if (affected === "stale") return false;
    // A new pool's members belong on the node no later than the rule of whoever asked for the pool, and the pool of
    // whoever gets connections no later than what leads them there.
    const given = givenTo(found.translation.holding);
    for (const user of affected) {
      if (user.kind === "EndpointSlice" || given.includes(referenceKey(user))) await this.#also(user);
    }
    return true;
  }
}

/** referenceKeys of those whose pools a contest has put there. */
function givenTo(holding: Holding | undefined): readonly string[] {
  if (holding?.type === "port") return [holding.by];
  return holding?.type === "domain" ? Object.values(holding.passthroughs ?? {}) : [];
}

/** Faults of the store stop the turn; its marks stay and it is gone through again. */
export function isOfTheStore(error: unknown): boolean {
  return error instanceof EntranceError && ["uncertain", "unavailable", "busy"].includes(error.code);
}
