/**
 * A package: what a store holds, as lines of JSON. A header, one record a line, and a last line that tells how many they
 * are and the hash of all before it, so that a file that was cut off or changed is refused before anything is written.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import { parseWith } from "../model/parse.ts";
import { headSchema } from "../reconcile/head.ts";
import { rulesSchema } from "../reconcile/rules.ts";
import { type Carried, isCarried } from "./carried.ts";

/** A value may double with its quotes escaped, and its key comes on top. */
export const maxLineCharacters = 1_000_000;
/** As many as a store of 100,000 routes has, some times over: three of each object. */
const maxRecords = 10_000_000;

const header = v.strictObject({
  entrance: v.literal("package"),
  format: v.literal(1, "a newer Entrance wrote it: import it with that one"),
  /** For people: when, in UTC. */
  made: v.string(),
  /** Of the lock. */
  fence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  rules: v.nullable(rulesSchema),
  /** By balancer. */
  heads: v.record(v.string(), headSchema),
});
export type Header = v.InferOutput<typeof header>;

const record = v.strictObject({ p: v.string(), s: v.string(), v: v.string() });
const end = v.strictObject({ records: v.number(), sha256: v.string() });

export class PackageWriter {
  readonly #hash = sha256.create();
  #records = 0;

  header(it: Header): string {
    return this.#hashed(JSON.stringify(it));
  }

  record({ key, value }: Carried): string {
    this.#records += 1;
    return this.#hashed(
      JSON.stringify({ p: key.partition, s: key.sort, v: value } satisfies v.InferOutput<typeof record>),
    );
  }

  end(): string {
    return JSON.stringify({ records: this.#records, sha256: bytesToHex(this.#hash.digest()) });
  }

  #hashed(line: string): string {
    this.#hash.update(utf8ToBytes(`${line}\n`));
    return line;
  }
}

export interface PackageReader {
  readonly header: Header;
  /** Throws `invalid` for what is no record, and at the end where something is missing or was changed. */
  readonly records: AsyncIterable<Carried>;
}

/** Reads the header. Throws `invalid` with a sentence that says what is wrong with the file. */
export async function readPackage(lines: AsyncIterable<string>): Promise<PackageReader> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  const parsed = parseWith(header, first.done === true ? undefined : jsonOf(first.value));
  if (!parsed.ok) throw invalid(`line 1 is no header of a package: ${parsed.reason}`);
  return { header: parsed.value, records: recordsOf(String(first.value), iterator) };
}

/** Reads all of it. Throws `invalid`. */
export async function checkPackage(lines: AsyncIterable<string>): Promise<{ header: Header; records: number }> {
  const reader = await readPackage(lines);
  let records = 0;
  for await (const _ of reader.records) records += 1;
  return { header: reader.header, records };
}

async function* recordsOf(headerLine: string, lines: AsyncIterator<string>): AsyncGenerator<Carried> {
  const hash = sha256.create().update(utf8ToBytes(`${headerLine}\n`));
  for (let count = 0; count <= maxRecords; count += 1) {
    const next = await lines.next();
    if (next.done === true) throw invalid("its last line is missing: the file was cut off");
    const json = jsonOf(next.value);
    const last = v.safeParse(end, json);
    if (last.success) {
      if (last.output.records !== count || last.output.sha256 !== bytesToHex(hash.digest())) {
        throw invalid("its last line does not fit what stands before it: the file was changed");
      }
      if ((await lines.next()).done !== true) throw invalid("something stands behind its last line");
      return;
    }
    const parsed = parseWith(record, json);
    const key = parsed.ok ? { partition: parsed.value.p, sort: parsed.value.s } : undefined;
    if (!parsed.ok || key === undefined || !isCarried(key)) throw invalid(`line ${count + 2} is no record of a store`);
    hash.update(utf8ToBytes(`${next.value}\n`));
    yield { key, value: parsed.value.v };
  }
  throw invalid(`it has more than ${maxRecords} records`);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function invalid(reason: string): EntranceError {
  return new EntranceError("invalid", `the package cannot be used: ${reason}`);
}
