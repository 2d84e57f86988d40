/** The secrets of a local installation: made once, kept where only this user can read them. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { writeWhole } from "./whole-file.ts";

const Secrets = v.object({ ENTRANCE_NODE_KEY: v.string(), ENTRANCE_SEAL_KEY: v.string() });
type Secrets = v.InferOutput<typeof Secrets>;

export function readOrMakeSecrets(data: string): Secrets {
  const file = path.join(data, "secrets.json");
  const known = v.safeParse(v.pipe(v.string(), v.parseJson(), Secrets), readIfThere(file));
  if (known.success) return known.output;
  const made = { ENTRANCE_NODE_KEY: secret(), ENTRANCE_SEAL_KEY: secret() };
  writeWhole(file, `${JSON.stringify(made, null, 2)}\n`, 0o600);
  return made;
}

/** 256 bits, in characters that need no quoting anywhere. */
function secret(): string {
  return randomBytes(32).toString("hex");
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
