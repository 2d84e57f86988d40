/** What one object wants: its resources on each balancer, who it uses, why something of it is refused. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import type { Reference } from "../model/reference.ts";
import type { Entry, Key, Store, Write } from "../store/port.ts";
import type { Claim, Holding } from "../translate/translation.ts";
import { partsPartition, wantKey } from "./keys.ts";
import { readRecord, written } from "./record.ts";

export interface WantedResource {
  readonly revision: number;
  readonly hash: string;
  readonly value: unknown;
}

export interface Want {
  /**
   * Hash of what was seen when it was last translated; empty for an object that is gone, and for contests;
   * {@link readAheadOf} when somebody has read something else since.
   */
  readonly seen: string;
  /** By referenceKey: everybody whose users this object is among, with what it claims. May hold too much, never too little. */
  readonly uses: Readonly<Record<string, Claim | null>>;
  /** Sentences: what of it cannot be served, and what to change. */
  readonly reasons: readonly string[];
  /** By balancer, by resource key. */
  readonly resources: Readonly<Record<string, Readonly<Record<string, WantedResource>>>>;
  readonly holding?: Holding;
  /** Fence of the turn that gave the holding to who holds it now. */
  readonly heldSince?: number;
  /** Its claims are registered and its outcome is not there yet: what it claims of may not have been translated for it. */
  readonly unfinished?: true;
}

const readAhead = "read ahead: ";

/** Equals no hash. Of several readers who read different things nothing more is known. */
export function readAheadOf(known: string, hash: string): string {
  const text = readAhead + hash;
  return known.startsWith(readAhead) && known !== text ? `${readAhead}several` : text;
}

export const noWant: Want = { seen: "", uses: {}, reasons: [], resources: {} };

/** A want as it was read. */
export interface StoredWant {
  readonly want: Want;
  /** Whether a part of it lies beside the record. */
  readonly inParts: boolean;
}

/** A record or a part has at most this many characters; each is at most 3 bytes of UTF-8, mostly one. */
const maxPartCharacters = 100_000;
/** 4 MB of resources of one object; an Ingress is at most 1.5 MB itself. */
const maxParts = 40;

const pointer = v.object({ parts: v.number(), id: v.string() });
const whole = written<Want>("seen", "uses", "reasons", "resources");

const partKey = (reference: Reference, id: string, index: number): Key => ({
  partition: partsPartition(reference),
  sort: `${id}/${String(index).padStart(3, "0")}`,
});

/** Reads a want with all its parts, as one write left them; `listed` is its record, where that was read already. */
export async function readWant(store: Pick<Store, "get">, reference: Reference, listed?: Entry): Promise<StoredWant> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const entry = attempt === 0 && listed !== undefined ? listed : await store.get(wantKey(reference));
    if (entry === undefined) return { want: noWant, inParts: false };
    const found = await assemble(store, reference, entry);
    if (found !== undefined) return found;
  }
  throw new EntranceError("busy", "a record in parts changed with every attempt to read it", { retryAfterSeconds: 1 });
}

/** Undefined: the record was replaced meanwhile, and its parts are gone. */
async function assemble(
  store: Pick<Store, "get">,
  reference: Reference,
  entry: Entry,
): Promise<StoredWant | undefined> {
  if (!entry.value.startsWith('{"parts":')) return { want: readRecord(whole, entry), inParts: false };
  const { parts, id } = readRecord(pointer, entry);
  const indexes = Array.from({ length: parts }, (_, index) => index);
  const pieces = await Promise.all(indexes.map((index) => store.get(partKey(reference, id, index))));
  const texts = pieces.flatMap((piece) => (piece === undefined ? [] : [String(JSON.parse(piece.value))]));
  if (texts.length < parts) return undefined;
  return { want: readRecord(whole, { ...entry, value: texts.join("") }), inParts: true };
}

/** How a want is kept: its record, and where that would be too large for a store's item, the parts it points to. */
export interface PackedWant {
  readonly record: Write;
  readonly parts: readonly Write[];
}

/** An object that wants nothing and uses nobody has no record. `id` names this write. Throws `too-large`. */
export function packWant(reference: Reference, want: Want, id: string): PackedWant {
  const text = isNothing(want) ? null : JSON.stringify(want);
  if (text === null || text.length <= maxPartCharacters) {
    return { record: { key: wantKey(reference), value: text }, parts: [] };
  }
  const pieces = cut(text);
  if (pieces.length > maxParts) {
    throw new EntranceError("too-large", "the object asks for more routes than one object may have: split it");
  }
  return {
    record: { key: wantKey(reference), value: JSON.stringify({ parts: pieces.length, id }) },
    parts: pieces.map((piece, index) => ({ key: partKey(reference, id, index), value: JSON.stringify(piece) })),
  };
}

function isNothing(want: Want): boolean {
  return (
    want.seen === "" &&
    want.reasons.length === 0 &&
    want.holding === undefined &&
    Object.keys(want.uses).length === 0 &&
    Object.keys(want.resources).length === 0
  );
}

/** Never between the two halves of a surrogate pair: each piece is text of its own. */
function cut(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + maxPartCharacters);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
