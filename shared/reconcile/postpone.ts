/** A fault of ours in one object: it keeps what it had, the status says so, and it is tried again later. */
import { EntranceError } from "../model/error.ts";
import { describeReference, type Reference } from "../model/reference.ts";
import { laterKey, refusedKey } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { retryAfter } from "./mark.ts";
import { refusedText } from "./refused.ts";
import type { Context } from "./settings.ts";

export async function postpone(context: Context, ledger: Ledger, reference: Reference, error: unknown): Promise<void> {
  context.counters.add("entrance_translation_faults_total", { kind: reference.kind });
  context.warn(`${describeReference(reference)}: ${error instanceof Error ? error.message : String(error)}`);
  const isTheirs = error instanceof EntranceError && error.code !== "internal";
  const sentence = isTheirs ? error.message : "it could not be translated; this is a fault of Entrance";
  const later = retryAfter(ledger.marks.tries(reference), context.now());
  await ledger.stage(() => ({
    writes: [
      { key: laterKey(reference), value: JSON.stringify(later) },
      { key: refusedKey(reference), value: refusedText([sentence], context.now(), later.due) },
    ],
  }));
  ledger.marks.close(reference);
  context.host.wakeAt(later.due);
}
