/** A request's JSON body within a limit. */
import { EntranceError } from "../shared/model/error.ts";

/**
 * Of a body that is too large so much is still read away: an answer in the middle of it would be lost with its
 * connection, or the connection's next request would be.
 */
const maxDrainedBytes = 64 * 1024 * 1024;

/** Reads a body away and keeps nothing of it, so that its sender hears the answer. */
export async function drain(request: Request): Promise<void> {
  const reader = request.body?.getReader();
  if (reader !== undefined) await readAway(reader, 0);
}

/** Reads and parses. Throws `too-large` without keeping more than `maxBytes`, `invalid` for what is no JSON. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (reader === undefined || part === undefined || part.done) break;
    size += part.value.byteLength;
    if (size > maxBytes) {
      chunks.length = 0;
      await readAway(reader, size);
      throw new EntranceError("too-large", `the body may have at most ${maxBytes} bytes`);
    }
    chunks.push(part.value);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (cause) {
    throw new EntranceError("invalid", "the body must be JSON in UTF-8", { cause });
  }
}

/** `size`: bytes that were read before. */
async function readAway(reader: ReadableStreamDefaultReader<Uint8Array>, size: number): Promise<void> {
  for (let read = size; read <= maxDrainedBytes; ) {
    const part = await reader.read();
    if (part.done) return;
    read += part.value.byteLength;
  }
  await reader.cancel();
}
