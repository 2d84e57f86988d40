/** Records of the store: JSON text in, a checked value out. A record that cannot be read is a fault of the store. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import { parseWith } from "../model/parse.ts";
import { type Entry, keyText } from "../store/port.ts";

/** Parses an entry that we wrote ourselves; throws `internal` when it is not what we write. */
export function readRecord<T>(schema: v.GenericSchema<unknown, T>, entry: Entry): T {
  let value: unknown;
  try {
    value = JSON.parse(entry.value);
  } catch (cause) {
    throw new EntranceError("internal", `the store's record ${keyText(entry.key)} is no JSON`, { cause });
  }
  const parsed = parseWith(schema, value);
  if (!parsed.ok) {
    throw new EntranceError("internal", `the store's record ${keyText(entry.key)} cannot be read: ${parsed.reason}`);
  }
  return parsed.value;
}

/** For large values that we wrote ourselves: an object with these members; the members' own shapes are taken on trust. */
export function written<T>(...members: readonly (keyof T & string)[]): v.GenericSchema<unknown, T> {
  return v.custom<T>(
    (input) => typeof input === "object" && input !== null && members.every((member) => member in input),
    `must be an object with ${members.join(", ")}`,
  );
}
