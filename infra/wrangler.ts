/** What wrangler.toml says, for those who run or build the worker without wrangler. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import * as v from "valibot";

const Wrangler = v.object({
  main: v.string(),
  compatibility_date: v.string(),
  compatibility_flags: v.optional(v.array(v.string()), []),
  durable_objects: v.object({ bindings: v.array(v.object({ name: v.string(), class_name: v.string() })) }),
  triggers: v.object({ crons: v.array(v.string()) }),
});

/** The checkout; ends with a slash. */
export const root = fileURLToPath(new URL("..", import.meta.url));

export const wrangler = v.parse(Wrangler, parse(readFileSync(`${root}wrangler.toml`, "utf8")));
