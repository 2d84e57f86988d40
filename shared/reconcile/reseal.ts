/** A Secret that an older ENTRANCE_SEAL_KEY sealed is sealed anew by the first one when it is translated. */
import type { Reference } from "../model/reference.ts";
import type { Entry } from "../store/port.ts";
import { seenKey } from "./keys.ts";
import { readSeen, type SeenRecord } from "./seen.ts";
import type { Context } from "./settings.ts";

/**
 * What is known by this entry. Position and content stay as they were; an observation that comes between wins, and its
 * mark leads here again. Its users are told by seenHash, wherever a crash falls.
 */
export async function resealed(
  context: Context,
  reference: Reference,
  entry: Entry | undefined,
): Promise<SeenRecord | undefined> {
  const known = readSeen(entry);
  if (entry === undefined || known?.object?.kind !== "Secret") return known;
  const object = await context.secrets.reseal(known.object);
  if (object === undefined) return known;
  const record: SeenRecord = { ...known, object };
  const key = seenKey(reference);
  const result = await context.store.commit(
    [{ key, version: entry.version }],
    [{ key, value: JSON.stringify(record) }],
  );
  return result.ok ? record : known;
}
