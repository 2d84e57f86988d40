/** Stages an object's want; one that is too large for a record goes in parts before the record that points to them. */
import { isEqual } from "../model/equal.ts";
import { invariant } from "../model/error.ts";
import type { Reference } from "../model/reference.ts";
import { partsPartition } from "./keys.ts";
import type { Group, Ledger } from "./ledger.ts";
import type { Context } from "./settings.ts";
import { packWant, readAheadOf, readWant, type StoredWant, type Want } from "./want.ts";

export interface WantGroup extends Group {
  readonly want: Want;
}

/** `build` may be called twice, as the ledger's `stage` says. An equal want is not written. */
export async function stageWant(
  context: Context,
  ledger: Ledger,
  reference: Reference,
  build: (stored: StoredWant) => WantGroup | Promise<WantGroup>,
): Promise<void> {
  const stored = await readWant(ledger, reference);
  const isSame = (want: Want) => isEqual(want, stored.want);
  const first = (await build(stored)).want;
  if (isSame(first) || packWant(reference, first, "").parts.length === 0) {
    await ledger.stage(async () => {
      const { want, writes, ...group } = await build(stored);
      if (isSame(want)) return { ...group, writes };
      const { record, parts } = packWant(reference, want, "");
      // A revision with one more digit may be what makes it too large; the next attempt begins with that revision.
      invariant(parts.length === 0, "a want grows over a record's limit only between two attempts");
      return { ...group, writes: [record, ...writes] };
    });
    if (stored.inParts && !isSame(first)) await removeParts(ledger, reference, new Set());
    return;
  }
  // With nothing else pending the revision stands still while the parts are written.
  await ledger.flush();
  const { want, writes, ...group } = await build(stored);
  const { record, parts } = packWant(reference, want, context.randomId());
  for (const part of parts) await ledger.stage(() => ({ writes: [part] }));
  await ledger.stage(() => ({ ...group, writes: [record, ...writes] }));
  await removeParts(ledger, reference, new Set(parts.map((part) => part.key.sort)));
}

/**
 * A reader has seen this of an object before the object's own turn came. Its users are told at that turn, whatever it
 * is by then: it may be again what it was when they were told last.
 */
export async function stageReadAhead(
  context: Context,
  ledger: Ledger,
  reference: Reference,
  seen: string,
): Promise<void> {
  const { want } = await readWant(ledger, reference);
  const ahead = readAheadOf(want.seen, seen);
  if (want.seen === seen || want.seen === ahead) return;
  await stageWant(context, ledger, reference, (stored) => ({ want: { ...stored.want, seen: ahead }, writes: [] }));
}

/** Those of writes before, and of writes that never came to their record. */
async function removeParts(ledger: Ledger, reference: Reference, current: ReadonlySet<string>): Promise<void> {
  for (const { key } of await ledger.listAll(partsPartition(reference))) {
    if (!current.has(key.sort)) await ledger.stage(() => ({ writes: [{ key, value: null }] }));
  }
}
