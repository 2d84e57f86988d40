/** One object under the lock: read, translate, commit. Everything that it claims of others is translated first. */
import { canonicalJson } from "../model/canonical.ts";
import { EntranceError, invariant } from "../model/error.ts";
import { isContest, parseReferenceKey, type Reference, referenceKey } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Check, Entry, Write } from "../store/port.ts";
import type { Claim, Holding, Translation } from "../translate/translation.ts";
import { answer } from "./answer.ts";
import { changeOf } from "./change.ts";
import { type Holder, LockLost, type StoredHead } from "./holder.ts";
import { dirtyKey, headKey, laterKey, logKey, refusedKey, seenKey, userKey } from "./keys.ts";
import { Landing, marksOf } from "./landing.ts";
import { keptRevisions, type LogEntry } from "./log-entry.ts";
import { readMark, retryAfter } from "./mark.ts";
import { refusedText } from "./refused.ts";
import { register } from "./register.ts";
import { readSeen, type SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";
import { claimsOf, listUsers, type User } from "./users.ts";
import { readWant, type StoredWant, type Want } from "./want.ts";

/** A translation asks a few times; more is a loop of ours. */
const maxRounds = 64;

export class Stepper {
  readonly #context: Context;
  readonly #holder: Holder;
  readonly #inProgress = new Set<string>();
  readonly #landing: Landing;
  readonly #touched: Set<string>;

  /** `touched` collects the balancers whose nodes have something new to hear. */
  constructor(context: Context, holder: Holder, touched: Set<string>) {
    this.#context = context;
    this.#holder = holder;
    this.#landing = new Landing(context, holder);
    this.#touched = touched;
  }

  /** Translates an object whose mark was listed. */
  async marked(mark: Entry): Promise<void> {
    const reference = parseReferenceKey(mark.key.sort);
    if (reference === undefined) {
      await this.#holder.commit([], [{ key: mark.key, value: null }]);
      return;
    }
    if (this.#landing.isDone(mark)) return;
    await this.#run(reference, mark);
  }

  /** Translates an object because another one is about to read it, whatever its mark. */
  async #first(reference: Reference): Promise<void> {
    if (this.#inProgress.has(referenceKey(reference))) return;
    await this.#run(reference, await this.#context.store.get(dirtyKey(reference)));
  }

  async #run(reference: Reference, mark: Entry | undefined): Promise<void> {
    const name = referenceKey(reference);
    this.#inProgress.add(name);
    try {
      await this.#translate(reference, mark);
    } catch (error) {
      if (error instanceof LockLost || isOfTheStore(error)) throw error;
      await this.#postpone(reference, mark, error);
    } finally {
      this.#inProgress.delete(name);
    }
  }

  async #translate(reference: Reference, mark: Entry | undefined): Promise<void> {
    const { store, translation: settings } = this.#context;
    const [entry, read, users] = await Promise.all([
      isContest(reference.kind) ? undefined : store.get(seenKey(reference)),
      readWant(store, reference),
      isClaimable(reference) ? listUsers(store, reference) : [],
    ]);
    const seen = readSeen(entry);
    let stored = read;
    const uses: Record<string, Claim | null> = {};
    const generator = this.#context.translate(
      {
        reference,
        ...(seen?.object === undefined || seen.gone ? {} : { object: seen.object }),
        claims: claimsOf(users, referenceKey),
        ...this.#holdingOf(stored.want),
      },
      settings,
    );
    let next = generator.next();
    for (let round = 0; next.done !== true; round += 1) {
      invariant(round < maxRounds, "a translation never stops asking");
      const reads = next.value;
      for (const each of reads) {
        const key = referenceKey(each.reference);
        uses[key] = each.claim ?? uses[key] ?? null;
      }
      const registered = await register(this.#context, this.#holder, reference, stored, reads);
      stored = registered.stored;
      for (const claimed of registered.claimed) await this.#first(claimed);
      const answers = await Promise.all(reads.map((each) => answer(store, reference, each.reference)));
      next = generator.next(answers);
    }
    await this.#commit(reference, mark, { seen, stored, users, uses, translation: next.value });
  }

  async #commit(reference: Reference, mark: Entry | undefined, found: Found): Promise<void> {
    const { stored, translation } = found;
    const reasons = translation.problems.map((problem) => problem.sentence);
    if (found.seen?.unusable !== undefined) reasons.unshift(found.seen.unusable);
    const failed = translation.failed || (found.seen?.unusable !== undefined && found.seen.object === undefined);
    const before = stored.want;
    const wanted = failed ? undefined : translation.resources;
    const seenHash = found.seen === undefined || found.seen.gone ? "" : found.seen.hash;
    const affected = await this.#affected(reference, found, seenHash);

    // A Service that loses a pool is asked for by others who still route to it: they first.
    if (before.seen !== seenHash && wanted !== undefined && lostPool(before.resources, wanted)) {
      await this.#landing.chunks(marksOf(this.#context, affected));
      for (const user of affected) if (user.kind === "Ingress") await this.#first(user);
    }

    const heads = new Map<string, StoredHead>();
    for (const balancer of new Set([...Object.keys(before.resources), ...Object.keys(wanted ?? {})])) {
      heads.set(balancer, await this.#holder.head(balancer));
    }
    const change =
      wanted === undefined
        ? { resources: before.resources, balancers: [] }
        : changeOf(before.resources, wanted, new Map([...heads].map(([name, { head }]) => [name, head])));
    const uses = failed ? { ...before.uses, ...found.uses } : found.uses;
    const after: Want = {
      seen: seenHash,
      uses,
      reasons,
      resources: change.resources,
      ...this.#heldBy(translation.holding, before),
    };
    const left = Object.keys(before.uses).flatMap((key) => {
      const used = key in uses ? undefined : parseReferenceKey(key);
      return used === undefined ? [] : [{ reference: used, claimed: before.uses[key] !== null }];
    });
    const leaving: Write[] = left.flatMap(({ reference: used, claimed }) => [
      { key: userKey(used, reference), value: null },
      ...(claimed && !isOwn(reference, used) ? marksOf(this.#context, [used]) : []),
    ]);
    const main: Write[] = [];
    const checks: Check[] = [];
    for (const { balancer, head, keys } of change.balancers) {
      const entry: LogEntry = { changed: { [referenceKey(reference)]: [...keys] } };
      checks.push({ key: headKey(balancer), version: heads.get(balancer)?.version ?? null });
      main.push({ key: headKey(balancer), value: JSON.stringify(head) });
      main.push({ key: logKey(balancer, head.revision), value: JSON.stringify(entry) });
      const old = head.revision - keptRevisions;
      if (old > 0) main.push({ key: logKey(balancer, old), value: null });
    }
    const tried = mark === undefined ? 0 : readMark(mark).tries;
    if (tried > 0 || canonicalJson(reasons) !== canonicalJson(before.reasons)) {
      const text = reasons.length === 0 ? null : refusedText(reasons, this.#context.now(), undefined);
      main.push({ key: refusedKey(reference), value: text });
    }
    const parts = { checks, main, marks: marksOf(this.#context, affected), leaving };
    await this.#landing.land({ reference, mark, stored, after, parts });
    for (const { balancer } of change.balancers) {
      this.#touched.add(balancer);
      this.#context.counters.add("entrance_revisions_total", { balancer });
    }
    // A new pool's members belong on the node before whoever asked for the pool routes to it.
    for (const user of affected) if (user.kind === "EndpointSlice") await this.#first(user);
  }

  /**
   * Claims that are translated in one turn are new together: what this very turn gave away is given again when an older
   * claim turns up, so that on a full translation the oldest object wins, in whatever order marks are listed.
   */
  #holdingOf(want: Want): { holding?: Holding } {
    return want.holding === undefined || want.heldSince === this.#holder.fence ? {} : { holding: want.holding };
  }

  #heldBy(holding: Holding | undefined, before: Want): Pick<Want, "holding" | "heldSince"> {
    if (holding === undefined) return {};
    const same = canonicalJson(holding) === canonicalJson(before.holding ?? null);
    return { holding, heldSince: same ? (before.heldSince ?? 0) : this.#holder.fence };
  }

  /** Those whose translation read something that is different now. */
  async #affected(reference: Reference, found: Found, seenHash: string): Promise<Reference[]> {
    if (reference.kind === "Ingress" || reference.kind === "EndpointSlice") return [];
    const { translation, users } = found;
    const before = found.stored.want;
    const holding = canonicalJson(before.holding ?? null) !== canonicalJson(translation.holding ?? null);
    if (before.seen !== seenHash || holding) {
      const all = isClaimable(reference) ? users : await listUsers(this.#context.store, reference);
      return all.map((user) => user.reference);
    }
    if (translation.failed || samePools(before.resources, translation.resources)) return [];
    return users.flatMap((user) => (user.reference.kind === "EndpointSlice" ? [user.reference] : []));
  }

  /** A fault of ours in one object: it keeps what it had, says so, and is tried again later. */
  async #postpone(reference: Reference, mark: Entry | undefined, error: unknown): Promise<void> {
    this.#context.counters.add("entrance_translation_faults_total", { kind: reference.kind });
    const sentence =
      error instanceof EntranceError && error.code !== "internal"
        ? error.message
        : "it could not be translated; this is a fault of Entrance";
    this.#context.warn(`${reference.kind} ${reference.namespace}/${reference.name}: ${describe(error)}`);
    if (mark === undefined) return;
    const later = retryAfter(readMark(mark), this.#context.now());
    await this.#holder.commit(
      [{ key: mark.key, version: mark.version }],
      [
        { key: mark.key, value: null },
        { key: laterKey(reference), value: JSON.stringify(later) },
        { key: refusedKey(reference), value: refusedText([sentence], this.#context.now(), later.due) },
      ],
    );
    this.#context.host.wakeAt(later.due);
  }
}

interface Found {
  readonly seen: SeenRecord | undefined;
  readonly stored: StoredWant;
  readonly users: readonly User[];
  readonly uses: Readonly<Record<string, Claim | null>>;
  readonly translation: Translation;
}

/** Services and contests are claimed of; their claims are part of what they translate. */
function isClaimable(reference: Reference): boolean {
  return reference.kind === "Service" || isContest(reference.kind);
}

function isOwn(reference: Reference, used: Reference): boolean {
  return referenceKey(reference) === referenceKey(used);
}

type Resources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function poolKeys(resources: Resources): Set<string> {
  const keys = new Set<string>();
  for (const [balancer, values] of Object.entries(resources)) {
    for (const key of Object.keys(values)) if (parseResourceKey(key)?.kind === "Pool") keys.add(`${balancer} ${key}`);
  }
  return keys;
}

function lostPool(before: Resources, after: Resources): boolean {
  return !poolKeys(before).isSubsetOf(poolKeys(after));
}

function samePools(before: Resources, after: Resources): boolean {
  return poolKeys(before).symmetricDifference(poolKeys(after)).size === 0;
}

/** Faults of the store stop the turn; its marks stay and it is gone through again. */
function isOfTheStore(error: unknown): boolean {
  return error instanceof EntranceError && ["uncertain", "unavailable", "busy"].includes(error.code);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
