/** Inside the namespaces, as their first process: a cluster, then the tests, whose paths may be chosen. */
import path from "node:path";
import { startVitest } from "vitest/node";
import { countsLine, countsOf } from "../counts.ts";
import { failuresOf, reportFailures } from "../failures.ts";
import { entered } from "./enter.ts";
import { startField } from "./field.ts";

const { scratch, programs, args: filters } = entered();
const begun = performance.now();
const field = await startField(scratch, programs);
console.log(`A cluster is up after ${((performance.now() - begun) / 1000).toFixed(1)} s.`);

const vitest = await startVitest("test", [...filters], {
  config: path.join(import.meta.dirname, "vitest.config.ts"),
  watch: false,
  provide: { field: field.facts },
});
const counts = countsOf(vitest);
reportFailures(failuresOf(vitest));
await vitest.close();
console.log(`\n${countsLine(counts)}`);
process.exit(counts.failed === 0 ? 0 : 1);
