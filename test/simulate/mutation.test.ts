/** A change of the protocol leaves a mutant behind in an instant, and hunting for all of them takes minutes. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { mutants } from "./mutants.ts";
import { mutated } from "./mutation.ts";

test.each(mutants)("is of the code as it stands: $name", ({ changes }) => {
  for (const file of new Set(changes.map((change) => change.file))) {
    const text = readFileSync(path.join(root, file), "utf8");
    const its = changes.filter((change) => change.file === file);
    expect(mutated(text, its)).not.toBe(text);
  }
});
