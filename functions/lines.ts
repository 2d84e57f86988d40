/** A file's lines, one at a time, and lines that become a file. */

import { once } from "node:events";
import { createReadStream, createWriteStream, renameSync, rmSync } from "node:fs";
import { finished } from "node:stream/promises";
import { EntranceError } from "../shared/model/error.ts";

/** Throws `invalid` for a file that cannot be read, or has a longer line. */
export async function* linesOf(file: string, maxCharacters: number): AsyncGenerator<string> {
  let rest = "";
  const stream = createReadStream(file, { encoding: "utf8" });
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maxCharacters) throw new EntranceError("invalid", `${file} has a line that is too long`);
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof EntranceError) throw cause;
    throw new EntranceError("invalid", `${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (rest !== "") yield rest;
}

/** Whole, or not at all; for its owner alone. Returns how many lines it has. */
export async function writeLines(file: string, lines: AsyncIterable<string>): Promise<number> {
  const unfinished = `${file}.unfinished`;
  const stream = createWriteStream(unfinished, { mode: 0o600 });
  let count = 0;
  try {
    await once(stream, "open");
    for await (const line of lines) {
      count += 1;
      if (!stream.write(`${line}\n`)) await once(stream, "drain");
    }
    stream.end();
    await finished(stream);
    renameSync(unfinished, file);
    return count;
  } catch (error) {
    stream.destroy();
    rmSync(unfinished, { force: true });
    if (error instanceof EntranceError) throw error;
    throw new EntranceError("invalid", `${file} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
