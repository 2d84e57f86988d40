/** `npm run bench [-- node|change] [--json]`: figures, as tables for people or JSON for machines. */
import { benchChange } from "./change.ts";
import { benchNode } from "./node.ts";

const benches = { node: benchNode, change: async (say: Say) => ({ change: await benchChange(say) }) } as const;
type Say = (line: string) => void;
type Bench = keyof typeof benches;

function isBench(name: string): name is Bench {
  return name in benches;
}

const words = process.argv.slice(2);
const json = words.includes("--json");
const named = words.filter((word) => word !== "--json");
const unknown = named.find((word) => !isBench(word));
if (unknown !== undefined) {
  console.error(`there is no bench ${JSON.stringify(unknown)}: choose of ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
const chosen = named.length === 0 ? (Object.keys(benches) as Bench[]) : named.filter(isBench);
const say: Say = (line) => console.error(`  ${line} …`);

const figures: Record<string, object> = {};
for (const name of chosen) Object.assign(figures, await benches[name](say));

if (json) {
  console.log(JSON.stringify(figures));
} else {
  for (const [name, part] of Object.entries(figures)) {
    const rows = Object.entries(part) as [string, unknown][];
    const isTable = rows.every(([, cells]) => typeof cells === "object" && cells !== null);
    console.log(`\n${name}`);
    console.table(isTable ? Object.fromEntries(rows.map(([row, cells]) => [row, flat(cells as object)])) : [part]);
  }
}

/** A ratio and its spread become one cell. */
function flat(cells: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(cells).map(([name, value]: [string, unknown]) => {
      if (Array.isArray(value)) return [name, value.join("–")];
      if (typeof value !== "object" || value === null || !("median" in value) || !("spread" in value))
        return [name, value];
      const spread = Array.isArray(value.spread) ? value.spread.join("–") : "";
      return [name, `${String(value.median)} (${spread})`];
    }),
  );
}
