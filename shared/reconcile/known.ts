/** What the store has of objects that were observed, with what is written beside them: floors, and the lock. */
import type { SeenReference } from "../model/observation.ts";
import type { SeenKind } from "../model/reference.ts";
import type { Check, Entry } from "../store/port.ts";
import { type Floor, floorIn } from "./floor.ts";
import { dirtyKey, floorKey, lockKey, seenKey } from "./keys.ts";
import type { Context } from "./settings.ts";

export interface Known {
  readonly lock: Entry | undefined;
  readonly floor: Entry | undefined;
  readonly seen: Entry | undefined;
  readonly mark: Entry | undefined;
}

export async function readKnown({ store }: Pick<Context, "store">, reference: SeenReference): Promise<Known> {
  const keys = [lockKey, floorKey(reference.kind), seenKey(reference), dirtyKey(reference)];
  const [lock, floor, seen, mark] = await Promise.all(keys.map((key) => store.get(key)));
  return { lock, floor, seen, mark };
}

/** What a commit of these is made of. `known`: read already, good for the only one of them. */
export async function readFor(
  context: Context,
  references: readonly SeenReference[],
  withLock: boolean,
  known: Known | undefined,
): Promise<[Entry | undefined, ReadonlyMap<SeenKind, KnownFloor>, ...Pick<Known, "seen" | "mark">[]]> {
  const [only, ...others] = references;
  if (known !== undefined && only !== undefined && others.length === 0) {
    const { kind } = only;
    return [withLock ? known.lock : undefined, new Map([[kind, floorOf(kind, known.floor)]]), known];
  }
  return Promise.all([
    withLock ? context.store.get(lockKey) : undefined,
    floorsFor(context, references),
    ...references.map(async (reference) => {
      const keys = [seenKey(reference), dirtyKey(reference)] as const;
      const [seen, mark] = await Promise.all(keys.map((key) => context.store.get(key)));
      return { seen, mark };
    }),
  ]);
}

interface KnownFloor {
  readonly floor: Floor;
  readonly check: Check;
}

function floorOf(kind: SeenKind, entry: Entry | undefined): KnownFloor {
  return { floor: floorIn(entry), check: { key: floorKey(kind), version: entry?.version ?? null } };
}

async function floorsFor(
  { kubernetes, store }: Context,
  references: readonly SeenReference[],
): Promise<ReadonlyMap<SeenKind, KnownFloor>> {
  if (kubernetes === undefined) return new Map();
  const kinds = [...new Set(references.map(({ kind }) => kind))];
  const floors = kinds.map(async (kind) => [kind, floorOf(kind, await store.get(floorKey(kind)))] as const);
  return new Map(await Promise.all(floors));
}
