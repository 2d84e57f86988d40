/** Lines, one at a time, of a file or of standard input (`-`), and lines that become a file or standard output. */

import { createReadStream, createWriteStream, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { EntranceError } from "../shared/model/error.ts";

/** What standard input may become in memory: of a package eight times as much and more. */
const maxKeptBytes = 128 * 1024 * 1024;

/** From the first one, each time. Throws `invalid` for what cannot be read, or has a longer line. */
export type Lines = () => AsyncGenerator<string>;

export async function openLines(file: string, maxCharacters: number): Promise<Lines> {
  if (file !== "-") return () => linesOf(createReadStream(file), file, maxCharacters);
  const kept = await keep(process.stdin);
  return () => linesOf(Readable.from(kept).pipe(createGunzip()), "standard input", maxCharacters);
}

/** Standard input comes once, and in a pod no folder can be written: compressed it lies in memory. */
async function keep(input: Readable): Promise<readonly Buffer[]> {
  const kept: Buffer[] = [];
  let bytes = 0;
  await pipeline(input, createGzip({ level: 1 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxKeptBytes) throw new EntranceError("invalid", "standard input is too long: name a file");
      kept.push(chunk);
    }
  });
  return kept;
}

async function* linesOf(stream: Readable, name: string, maxCharacters: number): AsyncGenerator<string> {
  let rest = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maxCharacters) throw new EntranceError("invalid", `${name} has a line that is too long`);
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof EntranceError) throw cause;
    throw new EntranceError("invalid", `${name} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (rest !== "") yield rest;
}

/** A file is whole or not there, and for its owner alone. Returns how many lines were written. */
export async function writeLines(file: string, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  async function* text() {
    for await (const line of lines) {
      count += 1;
      yield `${line}\n`;
    }
  }
  const unfinished = `${file}.unfinished`;
  try {
    if (file === "-") await pipeline(text, process.stdout, { end: false });
    else {
      await pipeline(text, createWriteStream(unfinished, { mode: 0o600 }));
      renameSync(unfinished, file);
    }
    return count;
  } catch (error) {
    if (file !== "-") rmSync(unfinished, { force: true });
    if (error instanceof EntranceError) throw error;
    const name = file === "-" ? "standard output" : file;
    throw new EntranceError("invalid", `${name} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
