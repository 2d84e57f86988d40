/** Gateway API's HTTPPathModifier; ReplaceRegexMatch, ours, puts together what a regular expression found. */
import * as v from "valibot";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in it
const controls = /[\x00-\x1f\x7f]/;

export const newPath = v.pipe(
  v.string(),
  v.startsWith("/", "must begin with /"),
  v.maxLength(1_024, "must have at most 1024 characters"),
  v.check((text) => !/[?#]/.test(text) && !controls.test(text), "must have no ?, no # and no control characters"),
);

export const pathChangeSchema = v.variant("type", [
  v.object({ type: v.literal("ReplaceFullPath"), replaceFullPath: newPath }),
  v.object({ type: v.literal("ReplacePrefixMatch"), replacePrefixMatch: newPath }),
  v.object({ type: v.literal("ReplaceRegexMatch"), replaceRegexMatch: newPath }),
]);

export type PathChange = v.InferOutput<typeof pathChangeSchema>;
