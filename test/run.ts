/**
 * `npm test`: the checks of `npm run check` and all tests, ending with one line of counts, each check counted as one.
 *
 *   npm test                          everything, on a cluster too (test/cluster) where that can be had
 *   npm test -- test/node             only the test files whose path contains this, without the checks
 *   npm test -- --update-golden       writes the golden stories anew: look at the diff
 */
import path from "node:path";
import { startVitest } from "vitest/node";
import { checks, report, runChecks } from "../infra/check.ts";
import { countCluster } from "./cluster-counts.ts";
import { type Counts, countsLine, countsOf, sumOf } from "./counts.ts";
import { failuresOf, reportFailures } from "./failures.ts";

const args = process.argv.slice(2);
const updateGolden = args.includes("--update-golden");
const filters = args.filter((arg) => !arg.startsWith("--"));
if (updateGolden) {
  process.env["UPDATE_GOLDEN"] = "1";
  if (filters.length === 0) filters.push("test/golden", "test/functions/capture");
}

const failures: string[] = [];
const checked = filters.length === 0 ? await countChecks() : { passed: 0, failed: 0 };
const tested = await countTests();
// Last, and alone on the machine: a build of kube-apiserver would disturb the others.
const onCluster = filters.length === 0 ? await countCluster() : { passed: 0, failed: 0 };
const counts = sumOf([checked, tested, onCluster]);
reportFailures(failures);
console.log(`\n${countsLine(counts)}`);
process.exit(counts.failed === 0 ? 0 : 1);

async function countChecks(): Promise<Counts> {
  const results = await runChecks(checks.filter(({ isTest }) => isTest !== true));
  report(results);
  failures.push(...results.filter((result) => !result.passed).map(({ name }) => `✗ ${name} (npm run check)`));
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
  const counts = countsOf(vitest);
  failures.push(...failuresOf(vitest));
  await vitest.close();
  return counts;
}
