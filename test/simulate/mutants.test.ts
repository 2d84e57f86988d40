/** What finds nothing proves nothing: each check of the protocol is taken out, and the simulation must see it. */
import { expect, test } from "vitest";
import { hunt } from "./hunt.ts";
import { mutants } from "./mutants.ts";

const withinMs = 300_000;

test("mutants have names of their own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(20);
});

test.each(mutants)(
  "found: $name",
  async (mutant) => {
    const { killedBy } = await hunt(mutant);
    expect(killedBy?.violations ?? []).not.toEqual([]);
  },
  withinMs,
);
