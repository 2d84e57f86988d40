/** What failed, said once more at the end: in an hour's output nobody finds the place, and a CI may keep its end alone. */
import type { Vitest } from "vitest/node";

/** Enough to see what is wrong; a hundred failures have one cause. */
const maxListed = 20;
const maxMessage = 500;

/** A line for each test or file that failed, with the beginning of what it said. */
export function failuresOf({ state, config }: Vitest): string[] {
  const failures: string[] = [];
  for (const module of state.getTestModules()) {
    const file = module.moduleId.replace(`${config.root}/`, "");
    for (const test of module.children.allTests()) {
      const { state: outcome, errors } = test.result();
      if (outcome === "failed") failures.push(line(`${file} > ${test.fullName}`, errors?.[0]?.message));
      if (outcome === "pending") failures.push(line(`${file} > ${test.fullName}`, "it never ended"));
    }
    for (const error of module.errors()) failures.push(line(file, error.message));
  }
  for (const error of state.getUnhandledErrors()) failures.push(line("outside of a test", String(error)));
  return failures;
}

/** Nothing, where nothing failed. */
export function reportFailures(failures: readonly string[]): void {
  if (failures.length === 0) return;
  console.log("\nWhat failed:\n");
  for (const failure of failures.slice(0, maxListed)) console.log(failure);
  if (failures.length > maxListed) console.log(`and ${failures.length - maxListed} more`);
}

function line(where: string, message = "without a message"): string {
  return `✗ ${where}\n    ${message.slice(0, maxMessage).replaceAll("\n", "\n    ")}`;
}
