/** What a record of the store says, read once for all copies that are given it. Frozen, so that nobody changes it for others. */
import type { Entry } from "../../shared/store/port.ts";

const known = new WeakMap<Entry, Map<object, unknown>>();

export function remembered<T>(schema: object, entry: Entry, read: () => T): T {
  let values = known.get(entry);
  if (values === undefined) {
    values = new Map();
    known.set(entry, values);
  }
  if (!values.has(schema)) values.set(schema, frozen(read()));
  return values.get(schema) as T;
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
