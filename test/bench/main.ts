/** `npm run bench [-- requests|change] [--json]`: figures, as a table for people or JSON for machines. */
import { benchChange } from "./change.ts";
import { benchRequests } from "./requests.ts";

const benches = { requests: benchRequests, change: benchChange } as const;
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
const say = (line: string): void => console.error(`  ${line} …`);

const figures: Record<string, Record<string, object>> = {};
for (const name of chosen) figures[name] = await benches[name](say);

if (json) {
  console.log(JSON.stringify(figures));
} else {
  for (const [name, rows] of Object.entries(figures)) {
    console.log(`\n${name}`);
    console.table(Object.fromEntries(Object.entries(rows).map(([row, cells]) => [row, flat(cells)])));
  }
}

/** A ratio and its spread become one cell. */
function flat(cells: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(cells).map(([name, value]: [string, unknown]) => {
      if (typeof value !== "object" || value === null || !("median" in value) || !("spread" in value))
        return [name, value];
      const spread = Array.isArray(value.spread) ? value.spread.join("–") : "";
      return [name, `${String(value.median)} (${spread})`];
    }),
  );
}
