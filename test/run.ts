/**
 * `npm test`: the checks of `npm run check` and all tests, ending with one line of counts, each check counted as one.
 *
 *   npm test                          everything
 *   npm test -- test/node             only the test files whose path contains this, without the checks
 *   npm test -- --update-golden       writes the golden stories anew: look at the diff
 */
import path from "node:path";
import { startVitest } from "vitest/node";
import { checks, report, runChecks } from "../infra/check.ts";

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const args = process.argv.slice(2);
const updateGolden = args.includes("--update-golden");
const filters = args.filter((arg) => !arg.startsWith("--"));
if (updateGolden) {
  process.env["UPDATE_GOLDEN"] = "1";
  if (filters.length === 0) filters.push("test/golden", "test/functions/capture");
}

const checked = filters.length === 0 ? await countChecks() : { passed: 0, failed: 0 };
const tested = await countTests();
const failed = checked.failed + tested.failed;
console.log(`\n${checked.passed + tested.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function countChecks(): Promise<Counts> {
  // The direction of imports is a test: it runs with the others.
  const results = await runChecks(checks.filter(({ name }) => name !== "direction of imports"));
  report(results);
  const passed = results.filter((result) => result.passed).length;
  console.log(`\nchecks: ${passed} of ${results.length} passed\n`);
  return { passed, failed: results.length - passed };
}

async function countTests(): Promise<Counts> {
  const vitest = await startVitest("test", filters, {
    config: path.join(import.meta.dirname, "vitest.config.ts"),
    watch: false,
    update: updateGolden,
  });
  const counts = { passed: 0, failed: 0 };
  for (const module of vitest.state.getTestModules()) {
    const before = counts.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed += 1;
      if (state === "failed" || state === "pending") counts.failed += 1;
    }
    // A file that cannot be loaded, or whose hooks fail, has no failing test to show for it.
    if (!module.ok() && counts.failed === before) counts.failed += 1;
  }
  counts.failed += vitest.state.getUnhandledErrors().length;
  // Nothing run is nothing proved: a filter that matches no file fails.
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  await vitest.close();
  return counts;
}
