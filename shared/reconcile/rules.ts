/** What translations are made by. Where that changes, everything is translated anew. */
import * as v from "valibot";
import { contentHash } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import { contestKinds, seenKinds } from "../model/reference.ts";
import { type Check, type Entry, maxCommitKeys, maxPageSize, type Write } from "../store/port.ts";
import { translatorVersion } from "../translate/version.ts";
import { firstHead } from "./head.ts";
import { dirtyPartition, headKey, rulesKey, seenPartition, wantPartition } from "./keys.ts";
import { markText } from "./mark.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";

export const rulesSchema = v.object({
  translator: v.number(),
  /** Of the settings, as the operator counts them. */
  generation: v.optional(v.number(), 0),
  /** Of the settings that a translation reads. */
  settings: v.string(),
  /** False: everything is still to be marked, by whoever has these rules. */
  marked: v.optional(v.boolean(), true),
});

export type Rules = v.InferOutput<typeof rulesSchema>;

export function readRules(entry: Entry): Rules {
  return readRecord(rulesSchema, entry);
}

/**
 * | the store's rules                      |                                                          |
 * |----------------------------------------|----------------------------------------------------------|
 * | are ours                               | go on                                                    |
 * | older (translator, then generation)    | ours take their place; then everything is marked         |
 * | newer                                  | `misconfigured`: a copy of the next version is at work   |
 * | of the same generation, other settings | `misconfigured`: which are right? A sole writer's are    |
 */
export async function ensureRules(context: Context): Promise<void> {
  const entry = await context.store.get(rulesKey);
  const known = entry === undefined ? undefined : readRules(entry);
  const ours = rulesOf(context);
  if (known === undefined || compareRules(context, known, ours) < 0) {
    const value = JSON.stringify({ ...ours, marked: known === undefined } satisfies Rules);
    await context.store.commit([{ key: rulesKey, version: entry?.version ?? null }], [{ key: rulesKey, value }]);
  }
}

/** What each commit of a turn checks, so that nobody translates by rules that have been replaced. */
export async function rulesCheck(context: Context): Promise<Check> {
  const entry = await context.store.get(rulesKey);
  if (entry !== undefined) compareRules(context, readRules(entry), rulesOf(context));
  return { key: rulesKey, version: entry?.version ?? null };
}

/** Part of the timer's work, since it takes long and nobody who waits for an answer should. */
export async function markWhereRulesChanged(context: Context): Promise<void> {
  const entry = await context.store.get(rulesKey);
  // The store went back to before anybody told of rules.
  if (entry === undefined) return ensureRules(context);
  const known = readRules(entry);
  if (known.marked) return;
  if (compareRules(context, known, rulesOf(context)) !== 0) return;
  await markEverything(context);
  const value = JSON.stringify({ ...known, marked: true } satisfies Rules);
  await context.store.commit([{ key: rulesKey, version: entry.version }], [{ key: rulesKey, value }]);
}

function rulesOf({ translation, generation = 0 }: Context): Omit<Rules, "marked"> {
  return { translator: translatorVersion, generation, settings: contentHash(translation) };
}

/** Negative: the store's are older. Zero: the same. Throws where ours must not be used. */
function compareRules({ isSoleWriter }: Context, known: Rules, ours: Omit<Rules, "marked">): number {
  const order = known.translator - ours.translator || (isSoleWriter ? 0 : known.generation - ours.generation);
  if (order > 0) {
    throw new EntranceError(
      "misconfigured",
      "a newer version of Entrance, or of its settings, works on this store: upgrade or stop this copy",
    );
  }
  if (order < 0 || known.settings === ours.settings) return order;
  if (isSoleWriter) return -1;
  throw new EntranceError(
    "misconfigured",
    "another copy works on this store with other settings (balancers, prefix, suffix, seal keys): give all copies the " +
      "same, and raise ENTRANCE_GENERATION where the new ones are meant",
  );
}

/** Each balancer's history begins before anything is wanted, so that a fresh node hears that nothing is. */
export async function ensureHeads(context: Context): Promise<void> {
  for (const { name } of context.balancers) {
    if ((await context.store.get(headKey(name))) === undefined) await beginHistory(context, name);
  }
}

export async function beginHistory(context: Context, balancer: string): Promise<void> {
  const key = headKey(balancer);
  const value = JSON.stringify(firstHead(context.randomId(), context.kubernetes === undefined));
  await context.store.commit([{ key, version: null }], [{ key, value }]);
}

async function markEverything(context: Context): Promise<void> {
  const partitions = [
    ...seenKinds.map((kind) => [kind, seenPartition(kind)]),
    ...contestKinds.map((kind) => [kind, wantPartition(kind)]),
  ];
  for (const [kind, partition] of partitions) {
    if (partition === undefined) continue;
    let after: string | undefined;
    do {
      const page = await context.store.list(partition, after, maxPageSize);
      const marks: Write[] = page.entries.map((entry) => ({
        key: { partition: dirtyPartition, sort: `${kind}/${entry.key.sort}` },
        value: markText(context.now(), undefined),
      }));
      for (let start = 0; start < marks.length; start += maxCommitKeys) {
        await context.store.commit([], marks.slice(start, start + maxCommitKeys));
      }
      after = page.next;
    } while (after !== undefined);
  }
}
