/** What one object wants: its resources on each balancer, who it uses, why something of it is refused. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import type { Reference } from "../model/reference.ts";
import type { Entry, Store, Version, Write } from "../store/port.ts";
import type { Claim, Holding } from "../translate/translation.ts";
import { wantKey } from "./keys.ts";
import { readRecord, written } from "./record.ts";

export interface WantedResource {
  readonly revision: number;
  readonly hash: string;
  readonly value: unknown;
}

export interface Want {
  /** Hash of what was seen when it was last translated; empty for an object that is gone, and for contests. */
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
}

export const noWant: Want = { seen: "", uses: {}, reasons: [], resources: {} };

/** A want as it was read: what a write of it has to take along. */
export interface StoredWant {
  readonly want: Want;
  /** null: there is no record yet. */
  readonly version: Version | null;
  /** How many parts lie beside the record. */
  readonly parts: number;
}

/** A record or a part has at most this many characters; each is at most 3 bytes of UTF-8, mostly one. */
const maxPartCharacters = 100_000;
/** So many parts and the rest of a commit fit into 40 keys and 4 MB (DynamoDB's transaction). */
export const maxParts = 20;

const inParts = v.object({ parts: v.number(), id: v.string() });
const part = v.object({ id: v.string(), text: v.string() });
const whole = written<Want>("seen", "uses", "reasons", "resources");

export function isPartSort(sort: string): boolean {
  return sort.includes("#");
}

function partKey(reference: Reference, index: number) {
  const key = wantKey(reference);
  return { partition: key.partition, sort: `${key.sort}#${String(index).padStart(3, "0")}` };
}

/** Reads a want with all its parts, as one write left them. */
export async function readWant(store: Store, reference: Reference): Promise<StoredWant> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const entry = await store.get(wantKey(reference));
    if (entry === undefined) return { want: noWant, version: null, parts: 0 };
    const found = await assemble(store, reference, entry);
    if (found !== undefined) return found;
  }
  throw new EntranceError("busy", "a record in parts changed with every attempt to read it", { retryAfterSeconds: 1 });
}

/** Undefined: a part belongs to another write than the record. */
export async function assemble(store: Store, reference: Reference, entry: Entry): Promise<StoredWant | undefined> {
  if (!entry.value.startsWith('{"parts":')) return { want: readRecord(whole, entry), version: entry.version, parts: 0 };
  const { parts, id } = readRecord(inParts, entry);
  const texts: string[] = [];
  for (let index = 0; index < parts; index += 1) {
    const piece = await store.get(partKey(reference, index));
    if (piece === undefined) return undefined;
    const read = readRecord(part, piece);
    if (read.id !== id) return undefined;
    texts.push(read.text);
  }
  const want = readRecord(whole, { ...entry, value: texts.join("") });
  return { want, version: entry.version, parts };
}

/** The writes that put `want` in the place of `stored`. An object that wants nothing and uses nobody has no record. */
export function wantWrites(
  reference: Reference,
  stored: StoredWant,
  want: Want,
  id: string,
): { writes: Write[]; parts: number } {
  const text = isNothing(want) ? null : JSON.stringify(want);
  const pieces = text === null || text.length <= maxPartCharacters ? [] : cut(text);
  if (pieces.length > maxParts) {
    throw new EntranceError("too-large", "the object asks for more routes than one object may have: split it");
  }
  const record = pieces.length === 0 ? text : JSON.stringify({ parts: pieces.length, id });
  const writes: Write[] = [{ key: wantKey(reference), value: record }];
  for (let index = 0; index < Math.max(pieces.length, stored.parts); index += 1) {
    const piece = pieces[index];
    writes.push({
      key: partKey(reference, index),
      value: piece === undefined ? null : JSON.stringify({ id, text: piece }),
    });
  }
  return { writes, parts: pieces.length };
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
