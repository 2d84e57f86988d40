/** Whether the simulation finds a mutant: seeds of the themes that concern it, until one breaks an invariant. */
import { bundleSimulation } from "./bundle.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { themes } from "./plan.ts";
import { runSeeds } from "./pool.ts";
import type { SeedResult } from "./simulate.ts";

export interface Outcome {
  readonly name: string;
  /** Undefined: it lives. */
  readonly killedBy: SeedResult | undefined;
  readonly seeds: number;
}

/** Enough to find each mutant many times over. */
const maxSeeds = 1_500;

export async function huntAll(onOutcome: (outcome: Outcome) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const mutant of mutants) {
    const outcome = await hunt(mutant);
    onOutcome(outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

export async function hunt(mutant: Mutant, most = maxSeeds): Promise<Outcome> {
  const script = await bundleSimulation(mutant.changes);
  let killedBy: SeedResult | undefined;
  let seeds = 0;
  await runSeeds({
    script,
    seeds: seedsOf(mutant, most),
    onResult: (result) => {
      seeds += 1;
      if (isKilledBy(mutant, result)) killedBy ??= result;
      return killedBy !== undefined;
    },
  });
  return { name: mutant.name, killedBy, seeds };
}

function* seedsOf({ themes: concerned, foundBy }: Mutant, most: number): Generator<number> {
  if (foundBy !== undefined) yield foundBy;
  for (let seed = 0, given = 0; given < most; seed += 1) {
    const theme = themes[seed % themes.length];
    if (theme === undefined || !concerned.includes(theme)) continue;
    given += 1;
    yield seed;
  }
}

/** By an invariant that the mutant names: a simulation that breaks down in another way says nothing. */
function isKilledBy({ breaks }: Mutant, { violations }: SeedResult): boolean {
  return violations.some((violation) => breaks.some((number) => violation.startsWith(`${number}:`)));
}
