/** What commands on a store have, in tests: this store, this clock, and no pauses. */
import type { Operating } from "../../shared/operate/export.ts";
import { exportStore } from "../../shared/operate/export.ts";
import { importPackage } from "../../shared/operate/import.ts";
import { checkPackage, readPackage } from "../../shared/operate/package.ts";
import type { Store } from "../../shared/store/port.ts";
import type { TestEntrance } from "../harness/entrance.ts";

export function operatingOn(test: TestEntrance): Operating {
  const { store, now, timing, counters } = test.context;
  return {
    store,
    now,
    timing,
    counters,
    instance: "operator",
    pause: async (ms) => {
      test.clock += ms;
    },
  };
}

export async function packageOf(operating: Operating): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStore(operating)) lines.push(line);
  return lines;
}

export async function importInto(store: Store, lines: readonly string[], replace = false): Promise<number> {
  await checkPackage(each(lines));
  return importPackage(store, () => 5_000_000, await readPackage(each(lines)), replace);
}

export async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
