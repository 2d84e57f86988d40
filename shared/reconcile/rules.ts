/** What translations are made by. Where that changes, everything is translated anew. */
import * as v from "valibot";
import { contentHash } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import { contestKinds, seenKinds } from "../model/reference.ts";
import { maxCommitKeys, maxPageSize, type Write } from "../store/port.ts";
import { translatorVersion } from "../translate/version.ts";
import { firstHead } from "./head.ts";
import { dirtyPartition, headKey, rulesKey, seenPartition, wantPartition } from "./keys.ts";
import { markText } from "./mark.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";

const schema = v.object({
  translator: v.number(),
  /** Of the settings that a translation reads. */
  settings: v.string(),
});

/**
 * Compares the rules of this copy with those that the store's wants were made by. Newer ones, or other settings, mark
 * everything; older ones are refused (`misconfigured`), since a copy of the next version is at work already.
 */
export async function ensureRules(context: Context): Promise<void> {
  const entry = await context.store.get(rulesKey);
  const known = entry === undefined ? undefined : readRecord(schema, entry);
  const settings = contentHash(context.translation);
  if (known?.translator === translatorVersion && known.settings === settings) return;
  if (known !== undefined && known.translator > translatorVersion) {
    throw new EntranceError(
      "misconfigured",
      "a newer version of Entrance works on this store: upgrade or stop this copy",
    );
  }
  if (known !== undefined) await markEverything(context);
  const value = JSON.stringify({ translator: translatorVersion, settings });
  await context.store.commit([{ key: rulesKey, version: entry?.version ?? null }], [{ key: rulesKey, value }]);
}

/** Each balancer's history begins before anything is wanted, so that a fresh node hears that nothing is. */
export async function ensureHeads(context: Context): Promise<void> {
  for (const { name } of context.balancers) {
    const key = headKey(name);
    if ((await context.store.get(key)) !== undefined) continue;
    const value = JSON.stringify(firstHead(context.randomId()));
    await context.store.commit([{ key, version: null }], [{ key, value }]);
  }
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
