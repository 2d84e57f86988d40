/** A want as the store has it, with its parts where it has any. */
import type { Want } from "../../../shared/reconcile/want.ts";
import type { ModelStore } from "../store.ts";

/** `name` is its referenceKey. */
export function readWant(store: ModelStore, name: string, value: string): Want {
  const record = JSON.parse(value);
  if (!("parts" in record)) return record;
  const texts: string[] = [];
  for (let index = 0; index < record.parts; index += 1) {
    const sort = `${record.id}/${String(index).padStart(3, "0")}`;
    const part = store.get({ partition: `part/${name}`, sort });
    if (part === undefined) throw new Error(`part ${sort} of the want of ${name} is missing`);
    texts.push(JSON.parse(part.value));
  }
  return JSON.parse(texts.join(""));
}
