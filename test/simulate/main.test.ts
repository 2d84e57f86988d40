/** What `npm run simulate` prints for machines, and its exit code. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hunt } from "./hunt.ts";
import { mutants } from "./mutants.ts";

const withinMs = 120_000;
const script = fileURLToPath(new URL("main.ts", import.meta.url));

function typed(...words: readonly string[]): Promise<{ code: unknown; said: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...words, "--json"], { maxBuffer: 256 * 1024 * 1024 }, (error, out) => {
      if (out === "") reject(error ?? new Error("it says nothing"));
      else resolve({ code: error?.code ?? 0, said: JSON.parse(out) as Record<string, unknown> });
    });
  });
}

test(
  "one seed has the figures of many, and its trace",
  async () => {
    const one = await typed("--seed", "7");
    const mutants = { total: 0, killed: 0 };
    expect(one).toMatchObject({ code: 0, said: { seeds: 1, violations: 0, mutants, from: 7, isStopped: false } });
    const keys = ["from", "isStopped", "mutants", "seconds", "seeds", "stepsPerSecond", "trace", "violations"];
    expect(Object.keys(one.said).sort()).toEqual(keys);
    expect(one.said["trace"]).toMatch(/^[0-9a-f]+$/);
  },
  withinMs,
);

test(
  "a seed that breaks an invariant is told by the exit code",
  async () => {
    const [mutant] = mutants;
    if (mutant === undefined) throw new Error("there is no mutant");
    const { killedBy } = await hunt(mutant);
    const replayed = await typed("--seed", String(killedBy?.seed), "--mutant", mutant.name);
    expect(replayed).toMatchObject({ code: 1, said: { seeds: 1, violations: 1, trace: killedBy?.trace } });
  },
  withinMs,
);
