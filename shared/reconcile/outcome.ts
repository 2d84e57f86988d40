/** What a translation's outcome means for the store: who is translated again, what changes on each balancer. */
import { isEqual } from "../model/equal.ts";
import { isContest, parseReferenceKey, type Reference, referenceKey } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Write } from "../store/port.ts";
import type { Claim, Translation } from "../translate/translation.ts";
import { announcing } from "./announce.ts";
import { changeOf } from "./change.ts";
import { refusedKey, userKey, usersPartition } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { type Refused, readRefused, refusedText } from "./refused.ts";
import { type SeenRecord, seenHash } from "./seen.ts";
import type { Context } from "./settings.ts";
import { stageWant } from "./stage-want.ts";
import { type User, usersIn, userText } from "./users.ts";
import { readAheadOf, readWant, type Want, type WantedResource } from "./want.ts";

export interface Found {
  readonly reference: Reference;
  readonly seen: SeenRecord | undefined;
  /** Of Services, Secrets and contests. */
  readonly users: readonly User[];
  /** Everything that the translation read, with what it claimed. */
  readonly uses: Readonly<Record<string, Claim | null>>;
  readonly translation: Translation;
}

/** Each takes two keys: the user record, and the mark of the object that was claimed of. */
const returnedPerGroup = 8;

/**
 * Stages the outcome in groups that each leave the store in order: marks of those who read what changed; the want, with
 * what changes on the nodes; user records and claims taken back. Where all fit together they land in one commit. Returns
 * those who are translated again. `first` translates users: those who route to a pool before it goes, and the slices of
 * a new pool before the object's own rules lead there. `stale`: one of these claimed something new of the object, whose
 * outcome does not have that.
 */
export async function stageOutcome(
  context: Context,
  ledger: Ledger,
  found: Found,
  asker: Reference | undefined,
  first: (users: readonly Reference[]) => Promise<void>,
  isStale: () => boolean,
): Promise<readonly Reference[] | "stale"> {
  const { reference, translation } = found;
  const { want: before } = await readWant(ledger, reference);
  const unusable = found.seen?.unusable;
  const failed = translation.failed || (unusable !== undefined && found.seen?.object === undefined);
  const sentences = translation.problems.filter(({ isAdvice }) => !isAdvice).map(({ sentence }) => sentence);
  const reasons = [...(unusable === undefined ? [] : [unusable]), ...sentences];
  const seen = seenHash(found.seen);
  // A translation that failed tells what others need of the object; it is laid over what was good last.
  const { resources } = translation;

  const affected = await affectedBy(ledger, found, before, seen, failed);
  const askerKey = asker === undefined ? undefined : referenceKey(asker);
  await ledger.mark(affected.filter((user) => referenceKey(user) !== askerKey));
  const isLosing = !failed && !poolKeys(before.resources).isSubsetOf(poolKeys(resources));
  if (before.seen !== seen && isLosing) await first(affected.filter((user) => user.kind === "Ingress"));
  if (isStale()) return "stale";

  // What was read this time, and until it is taken back what was read and claimed before.
  const all = { ...found.uses, ...before.uses };
  const uses = failed ? all : found.uses;
  const told = await ledger.get(refusedKey(reference));
  const stage = (current: Want["uses"] | "pools alone") =>
    stageWant(context, ledger, reference, async ({ want: last }) => {
      const wanted: Record<string, Readonly<Record<string, WantedResource>>> = {};
      const balancers = [];
      for (const balancer of Object.keys({ ...last.resources, ...resources })) {
        const old = last.resources[balancer] ?? {};
        const all = resources[balancer] ?? {};
        const next = current === "pools alone" ? poolsIn(all) : all;
        const keepsOld = failed || current === "pools alone";
        const change = changeOf(
          balancer,
          await ledger.head(balancer),
          old,
          keepsOld ? { ...valuesOf(old), ...next } : next,
        );
        if (Object.keys(change.wanted).length > 0) wanted[balancer] = change.wanted;
        if (change.resources.length > 0) balancers.push(change);
      }
      const changes = { object: referenceKey(reference), balancers };
      // Of a half nothing but its pools is told, so that whoever goes on after a crash begins anew.
      if (current === "pools alone") return { want: { ...last, resources: wanted }, writes: [], changes };
      // Somebody who was translated meanwhile may have read what came after: its mark stands, and everybody is told then.
      const isAhead = last.seen !== before.seen && last.seen !== seen && last.seen !== readAheadOf(before.seen, seen);
      const known = isAhead ? last.seen : seen;
      const want: Want = { seen: known, uses: current, reasons, resources: wanted, ...held(ledger, translation, last) };
      const writes: Write[] = [];
      if (told === undefined ? reasons.length > 0 : !isTold(readRefused(told), reasons)) {
        const text = reasons.length === 0 ? null : refusedText(reasons, context.now(), undefined);
        writes.push({ key: refusedKey(reference), value: text });
      }
      writes.push(...announcing(context, reference, found.seen?.object, last, want));
      return { want, writes, changes };
    });

  const slices = affected.filter((user) => user.kind === "EndpointSlice");
  const isGaining = !failed && !poolKeys(resources).isSubsetOf(poolKeys(before.resources));
  if (isGaining && slices.length > 0 && hasRules(resources)) {
    await stage("pools alone");
    await first(slices);
    // They have members for what goes, too.
    if (isLosing) await ledger.mark(slices);
  }
  const returned = Object.keys(before.uses).filter((key) => !(key in uses) || !isEqual(before.uses[key], uses[key]));
  await stage(returned.length > 0 ? all : uses);
  let left: Want["uses"] = all;
  for (let start = 0; start < returned.length; start += returnedPerGroup) {
    const group = returned.slice(start, start + returnedPerGroup);
    left = withoutReturned(left, group, uses);
    const { writes, marks } = takenBack(reference, group, before.uses, uses);
    // The want with them: wherever a crash falls, it tells of the user records that are there.
    const now = left;
    await stageWant(context, ledger, reference, ({ want }) => ({ want: { ...want, uses: now }, writes, marks }));
  }
  return affected;
}

/** `keys` as they are in `next`, or gone. */
function withoutReturned(uses: Want["uses"], keys: readonly string[], next: Want["uses"]): Want["uses"] {
  const others = Object.entries(uses).filter(([key]) => !keys.includes(key));
  return Object.fromEntries([...others, ...Object.entries(next).filter(([key]) => keys.includes(key))]);
}

/** The user records of what is used no more or otherwise, and marks of what was claimed. */
function takenBack(user: Reference, keys: readonly string[], last: Want["uses"], next: Want["uses"]) {
  const writes: Write[] = [];
  const marks: Reference[] = [];
  for (const key of keys) {
    const used = parseReferenceKey(key);
    if (used === undefined) continue;
    const claim = next[key];
    writes.push({ key: userKey(used, user), value: claim === undefined ? null : userText(claim) });
    if (last[key] !== null) marks.push(used);
  }
  return { writes, marks };
}

/** Services, Secrets and contests are claimed of; their claims are part of what they translate. */
export function isClaimable(reference: Reference): boolean {
  return reference.kind === "Service" || reference.kind === "Secret" || isContest(reference.kind);
}

/** Those whose translation read something that is different now. */
async function affectedBy(
  ledger: Ledger,
  found: Found,
  before: Want,
  seen: string,
  failed: boolean,
): Promise<readonly Reference[]> {
  const { reference, translation, users } = found;
  if (reference.kind === "Ingress" || reference.kind === "EndpointSlice") return [];
  const isHeldAnew = !isEqual(before.holding, translation.holding);
  if (before.seen !== seen || isHeldAnew) {
    const all = isClaimable(reference) ? users : usersIn(await ledger.listAll(usersPartition(reference)));
    return all.map((user) => user.reference);
  }
  const pools = poolKeys(translation.resources);
  if (pools.isSubsetOf(poolKeys(before.resources)) && (failed || poolKeys(before.resources).isSubsetOf(pools)))
    return [];
  return users.flatMap((user) => (user.reference.kind === "EndpointSlice" ? [user.reference] : []));
}

/** Who holds a contest, and since which turn. */
function held(ledger: Ledger, { holding }: Translation, before: Want): Pick<Want, "holding" | "heldSince"> {
  if (holding === undefined) return {};
  const isSame = isEqual(holding, before.holding);
  return { holding, heldSince: isSame ? (before.heldSince ?? 0) : ledger.fence };
}

function valuesOf(resources: Readonly<Record<string, WantedResource>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(resources).map(([key, { value }]) => [key, value]));
}

/** A fault of ours among what is told is over now. */
function isTold(told: Refused, reasons: readonly string[]): boolean {
  return told.retryAt === undefined && isEqual(told.reasons, reasons);
}

function poolsIn(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => parseResourceKey(key)?.kind === "Pool"));
}

function hasRules(resources: Translation["resources"]): boolean {
  return Object.values(resources).some((values) =>
    Object.keys(values).some((key) => parseResourceKey(key)?.kind === "Rule"),
  );
}

function poolKeys(resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Set<string> {
  const keys = new Set<string>();
  for (const [balancer, values] of Object.entries(resources)) {
    for (const key of Object.keys(values)) if (parseResourceKey(key)?.kind === "Pool") keys.add(`${balancer} ${key}`);
  }
  return keys;
}
