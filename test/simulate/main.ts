/**
 * `npm run simulate -- --seeds N [--seed S] [--from S] [--no-mutants] [--json]`: so many simulations, from seed S on, and
 * whether each mutant is found. `--seed S` runs one and prints what happens in it, with `--mutant NAME` as it is without
 * that check. The exit code is 1 if anything broke. A long run tells on stderr where it is, and one that is stopped says
 * what it has done.
 */
import { bundleSimulation } from "./bundle.ts";
import { huntAll } from "./hunt.ts";
import { keptSeeds } from "./kept-seeds.ts";
import { mutants } from "./mutants.ts";
import type { Mutation } from "./mutation.ts";
import { numbers, runSeeds } from "./pool.ts";
import type { SeedResult } from "./simulate.ts";

const progressSeconds = 10;

const words = process.argv.slice(2);
const json = words.includes("--json");
const say = (line: string) => (json ? console.error(line) : console.log(line));

const one = option("--seed");
if (one !== undefined) await replay(one);
else await simulateMany(option("--seeds") ?? 2_000, option("--from") ?? 1);

function option(name: string): number | undefined {
  const place = words.indexOf(name);
  if (place < 0) return undefined;
  const value = Number(words[place + 1]);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`${name} needs a whole number, such as ${name} 7`);
  process.exit(2);
}

/** Of `--mutant`; none without it. */
function changesOf(): readonly Mutation[] {
  const place = words.indexOf("--mutant");
  if (place < 0) return [];
  const mutant = mutants.find(({ name }) => name === words[place + 1]);
  if (mutant !== undefined) return mutant.changes;
  console.error("--mutant needs the name of one, as it is printed when it is found");
  process.exit(2);
}

async function replay(seed: number): Promise<void> {
  const script = await bundleSimulation(changesOf());
  const tally = newTally(seed);
  await runSeeds({
    script,
    seeds: [seed],
    threads: 1,
    print: say,
    onResult: (result) => {
      tally.add(result);
      const { events, trace, violations } = result;
      if (json) console.log(JSON.stringify({ ...tally.figures(), trace }));
      else say(`${events} events, trace ${trace}, ${violations.length} violations`);
      process.exitCode = tally.figures().violations > 0 ? 1 : 0;
      return true;
    },
  });
}

async function simulateMany(count: number, first: number): Promise<void> {
  const script = await bundleSimulation();
  const tally = newTally(first);
  let toldAt = 0;
  let isStopped = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      isStopped = true;
    });
  }
  await runSeeds({
    script,
    seeds: [...keptSeeds.map(({ seed }) => seed), ...numbers(first, count)],
    onResult: (result) => {
      tally.add(result);
      if (tally.seconds() > toldAt + progressSeconds) {
        toldAt = tally.seconds();
        const { seeds, violations } = tally.figures();
        console.error(`  ${seeds} seeds in ${toldAt.toFixed(0)} s, ${violations} with violations …`);
      }
      return isStopped;
    },
  });
  const [seconds, simulated] = [tally.seconds(), tally.figures()];
  const mutants = words.includes("--no-mutants") || isStopped ? simulated.mutants : await hunt();
  const figures = { ...simulated, mutants, isStopped };
  const { seeds, violations, stepsPerSecond } = figures;
  if (json) console.log(JSON.stringify(figures));
  else {
    say(`${seeds} seeds in ${seconds.toFixed(1)} s, ${violations} with violations, ${stepsPerSecond} steps a second`);
    say(`${mutants.killed} of ${mutants.total} mutants found`);
  }
  process.exitCode = violations > 0 || mutants.killed < mutants.total ? 1 : 0;
}

async function hunt(): Promise<{ total: number; killed: number }> {
  const found = await huntAll((outcome) => {
    const by = outcome.killedBy;
    say(
      by === undefined ? `ALIVE  ${outcome.name}` : `found  ${outcome.name}, by seed ${by.seed}: ${by.violations[0]}`,
    );
  });
  return { total: found.length, killed: found.filter((each) => each.killedBy !== undefined).length };
}

/** What was simulated from seed `first` on; `violations` are seeds that break something. */
function newTally(first: number) {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1_000;
  let [seeds, violations, steps] = [0, 0, 0];
  return {
    seconds,
    add(result: SeedResult): void {
      seeds += 1;
      steps += result.events;
      violations += Number(result.violations.length > 0);
      report(result);
    },
    figures() {
      const stepsPerSecond = Math.round(steps / seconds());
      const mutants = { total: 0, killed: 0 };
      return {
        seeds,
        violations,
        stepsPerSecond,
        mutants,
        seconds: Math.round(seconds()),
        from: first,
        isStopped: false,
      };
    },
  };
}

function report({ seed, violations }: SeedResult): void {
  if (violations.length === 0) return;
  say(`\nseed ${seed} breaks an invariant (npm run simulate -- --seed ${seed}):`);
  for (const violation of violations) say(`  ${violation}`);
}
