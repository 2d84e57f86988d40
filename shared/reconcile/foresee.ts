/**
 * Reads ahead, side by side, what the translations of some objects are about to ask for: each is run once in advance
 * for what it asks, and its outcome is thrown away. So a turn waits for a few rounds of reads, and not for each one.
 */
import { isContest, namespaceReference, type Reference, referenceKey } from "../model/reference.ts";
import type { Key } from "../store/port.ts";
import { guessReads } from "../translate/guess.ts";
import { type Answer, maxRounds, type Read } from "../translate/translation.ts";
import { answer } from "./answer.ts";
import { dirtyKey, refusedKey, seenKey, usersPartition, wantKey } from "./keys.ts";
import { isClaimable } from "./outcome.ts";
import type { Readings } from "./readings.ts";
import { type Recorded, readSeen, type SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";
import { isOfTheStore } from "./step.ts";
import { claimsOf, usersIn } from "./users.ts";
import { readWant } from "./want.ts";

/** Throws what the store throws. A translation's own fault is told when its turn comes. */
export async function foresee(context: Context, readings: Readings, references: readonly Reference[]): Promise<void> {
  const runs = await Promise.allSettled(references.map((reference) => foreseeOne(context, readings, reference)));
  for (const run of runs) if (run.status === "rejected" && isOfTheStore(run.reason)) throw run.reason;
}

/** The same of seen records that were just committed: what they will ask is guessed before anything is answered. */
export function foreseeRecorded(context: Context, readings: Readings, recorded: readonly Recorded[]): Promise<void> {
  const references: Reference[] = [];
  for (const { reference, entry } of recorded) {
    readings.know(entry);
    beginGuessed(readings, readSeen(entry));
    references.push(reference);
  }
  return foresee(context, readings, references);
}

async function foreseeOne(context: Context, readings: Readings, reference: Reference): Promise<void> {
  const [entry, { want }, users] = await Promise.all([
    isContest(reference.kind) ? undefined : readings.get(seenKey(reference)),
    readWant(readings, reference),
    isClaimable(reference) ? readings.list(usersPartition(reference)) : undefined,
    readings.get(refusedKey(reference)),
    ...(hasTenant.has(reference.kind)
      ? keysOf(namespaceReference(reference.namespace)).map((key) => readings.get(key))
      : []),
  ]);
  const seen = readSeen(entry);
  beginGuessed(readings, seen);
  const generator = context.translate(
    {
      reference,
      ...(seen?.object === undefined || seen.gone ? {} : { object: seen.object }),
      claims: claimsOf(usersIn([...(users?.values() ?? [])]), referenceKey),
      ...(want.holding === undefined ? {} : { holding: want.holding }),
    },
    context.translation,
  );
  let next = generator.next();
  for (let round = 0; next.done !== true && round < maxRounds; round += 1) {
    next = generator.next(await Promise.all(next.value.map((read) => foreseen(readings, reference, read))));
  }
}

/** Whose namespace says which tenant's they are. */
const hasTenant: ReadonlySet<string> = new Set(["Ingress", "Service"]);

function keysOf(reference: Reference): Key[] {
  if (!isContest(reference.kind)) return [seenKey(reference), wantKey(reference)];
  return [wantKey(reference), dirtyKey(reference), refusedKey(reference)];
}

/** Not waited for: the translation asks for it in a moment, or not at all. */
function beginGuessed(readings: Readings, seen: SeenRecord | undefined): void {
  for (const guess of seen?.object === undefined ? [] : guessReads(seen.object)) begin(readings, guess);
}

/** A reading that fails is none, and is made again by whoever needs it. */
function begin(readings: Readings, reference: Reference): void {
  const begun: Promise<unknown>[] = keysOf(reference).map((key) => readings.get(key));
  if (isContest(reference.kind)) begun.push(readings.list(usersPartition(reference)));
  for (const each of begun) each.catch(() => undefined);
}

/** With all that is read when somebody is made a user of it, and when it is translated for what is claimed of it. */
async function foreseen(readings: Readings, reader: Reference, { reference, claim }: Read): Promise<Answer> {
  const isClaimedOf = claim !== undefined && isContest(reference.kind);
  const [{ answer: found }] = await Promise.all([
    answer(readings, reader, reference),
    readWant(readings, reference),
    isClaimedOf ? readings.get(dirtyKey(reference)) : undefined,
    isClaimedOf ? readings.list(usersPartition(reference)) : undefined,
    isClaimedOf ? readings.get(refusedKey(reference)) : undefined,
  ]);
  // As if it got what it claims, for what it asks then.
  if (found.holding !== undefined || claim?.type !== "domain") return found;
  return { ...found, holding: { type: "domain", tenant: claim.tenant } };
}
