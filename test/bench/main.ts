/**
 * `npm run bench [-- node|change|cluster|stores] [--json]`: figures, as tables for people or JSON for machines.
 *
 *   npm run bench -- cluster                       on a real kube-apiserver, as root; 20 minutes
 *   npm run bench -- cluster --routes 300 --trace  shorter, and where each millisecond of a new route goes
 *   npm run bench -- cluster --ingresses 1000      rows that are of 10,000 Ingresses with so many instead
 *   npm run bench -- cluster --row newRoute        that row alone; may be given several times
 *   npm run bench -- stores --minutes 3            on etcd, DynamoDB Local and the embedded store; 25 minutes without it
 */
import { parseArgs } from "node:util";
import { MissingProgram } from "../cluster/programs.ts";
import { benchChange } from "./change.ts";
import { benchCluster } from "./cluster.ts";
import { benchNode } from "./node.ts";
import { benchStores } from "./stores.ts";

const { values, positionals: named } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    routes: { type: "string", default: "3000" },
    ingresses: { type: "string", default: "10000" },
    rules: { type: "string", default: "100000" },
    minutes: { type: "string", default: "10" },
    trace: { type: "boolean", default: false },
    row: { type: "string", multiple: true, default: [] },
  },
});
const { json, trace, row: only } = values;

const benches = {
  node: benchNode,
  change: async (say: Say) => ({ change: await benchChange(say) }),
  stores: async (say: Say) => ({
    ...(await benchStores({ minutes: Number(values.minutes), rules: Number(values.rules), only }, say)),
  }),
  cluster: async () => ({
    ...(await benchCluster({ routes: Number(values.routes), ingresses: Number(values.ingresses), trace, only })),
  }),
} as const;
/** Without a name: what needs neither root nor a control plane. */
const usual = ["node", "change"] as const satisfies readonly Bench[];
type Say = (line: string) => void;
type Bench = keyof typeof benches;

function isBench(name: string): name is Bench {
  return name in benches;
}

const unknown = named.find((word) => !isBench(word));
if (unknown !== undefined) {
  console.error(`there is no bench ${JSON.stringify(unknown)}: choose of ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
const chosen = named.length === 0 ? usual : named.filter(isBench);
const say: Say = (line) => console.error(`  ${line} …`);

const figures: Record<string, object> = {};
for (const name of chosen) {
  try {
    Object.assign(figures, await benches[name](say));
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    console.error(`\n${error.message}\n`);
    process.exit(1);
  }
}

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
