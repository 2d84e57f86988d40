/**
 * `npm run simulate -- --seeds N [--seed S] [--from S] [--no-mutants] [--json]`: so many simulations, from seed S on, and
 * whether each mutant is found. `--seed S` runs one and prints what happens in it. A long run tells on stderr where it
 * is, and one that is stopped says what it has done.
 */
import { bundleSimulation } from "./bundle.ts";
import { huntAll } from "./hunt.ts";
import { keptSeeds } from "./kept-seeds.ts";
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

async function replay(seed: number): Promise<void> {
  const script = await bundleSimulation();
  await runSeeds({
    script,
    seeds: [seed],
    threads: 1,
    print: say,
    onResult: (result) => {
      report(result);
      if (json) console.log(JSON.stringify(result));
      else say(`${result.events} events, trace ${result.trace}, ${result.violations.length} violations`);
      return true;
    },
  });
}

async function simulateMany(count: number, first: number): Promise<void> {
  const script = await bundleSimulation();
  const start = performance.now();
  const secondsNow = () => (performance.now() - start) / 1_000;
  let [seeds, violations, steps, toldAt] = [0, 0, 0, 0];
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
      seeds += 1;
      steps += result.events;
      violations += Number(result.violations.length > 0);
      report(result);
      if (secondsNow() > toldAt + progressSeconds) {
        toldAt = secondsNow();
        console.error(`  ${seeds} seeds in ${toldAt.toFixed(0)} s, ${violations} with violations …`);
      }
      return isStopped;
    },
  });
  const seconds = secondsNow();
  const mutants = words.includes("--no-mutants") || isStopped ? { total: 0, killed: 0 } : await hunt();
  const stepsPerSecond = Math.round(steps / seconds);
  const figures = { seeds, violations, stepsPerSecond, mutants, seconds: Math.round(seconds), from: first, isStopped };
  if (json) console.log(JSON.stringify(figures));
  else {
    say(
      `${seeds} seeds in ${seconds.toFixed(1)} s, ${violations} with violations, ${figures.stepsPerSecond} steps a second`,
    );
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

function report({ seed, violations }: SeedResult): void {
  if (violations.length === 0) return;
  say(`\nseed ${seed} breaks an invariant (npm run simulate -- --seed ${seed}):`);
  for (const violation of violations) say(`  ${violation}`);
}
