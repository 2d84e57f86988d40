/** Thousands of simulations, each of which would break if one of the protocol's checks did. */
import { expect, test } from "vitest";
import { bundleSimulation } from "./bundle.ts";
import { keptSeeds } from "./kept-seeds.ts";
import { numbers, runSeeds } from "./pool.ts";

const seeds = 2_000;
const withinMs = 600_000;

test(
  "whatever befalls it, every invariant holds",
  async () => {
    const broken: string[] = [];
    await runSeeds({
      script: await bundleSimulation(),
      seeds: [...keptSeeds.map(({ seed }) => seed), ...numbers(1, seeds)],
      onResult: ({ seed, violations }) => {
        if (violations.length > 0) broken.push(`npm run simulate -- --seed ${seed}: ${violations[0]}`);
        return broken.length >= 10;
      },
    });
    expect(broken).toEqual([]);
  },
  withinMs,
);

test(
  "the same seed is the same simulation, whichever ran before it",
  async () => {
    const script = await bundleSimulation();
    const tracesOf = async (order: readonly number[], threads: number) => {
      const traces: Record<number, string> = {};
      await runSeeds({
        script,
        seeds: order,
        threads,
        onResult: ({ seed, trace, events }) => {
          traces[seed] = `${trace} ${events}`;
          return false;
        },
      });
      return traces;
    };
    const order = [...numbers(1, 24)];
    expect(await tracesOf(order.toReversed(), 1)).toEqual(await tracesOf(order, 2));
  },
  withinMs,
);
