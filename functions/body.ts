/** A request's JSON body within a limit. */
import { EntranceError } from "../shared/model/error.ts";

/** Reads and parses. Throws `too-large` before more than `maxBytes` are kept, `invalid` for what is no JSON. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    size += part.value.byteLength;
    if (size > maxBytes) {
      await reader?.cancel();
      throw tooLarge(maxBytes);
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

function tooLarge(maxBytes: number): EntranceError {
  return new EntranceError("too-large", `the body may have at most ${maxBytes} bytes`);
}
