/** What all that read settings share. */
import { EntranceError } from "../shared/model/error.ts";

/** The setting's text; undefined where it is not set, or empty. */
export type ReadSetting = (name: string) => string | undefined;

/** Throws `misconfigured`: the setting's name and what to change, never its value. */
export function failSetting(name: string, sentence: string): never {
  throw new EntranceError("misconfigured", `${name} ${sentence}`);
}
