/** Inside the namespaces, as their first process: a cluster, then the rows, one after another. */
import { entered } from "../../cluster/enter.ts";
import { startField } from "../../cluster/field.ts";
import type { ClusterOptions } from "../cluster.ts";
import type { ClusterFigures } from "./figures.ts";
import { runRows } from "./rows.ts";

const { scratch, programs, args } = entered();
const options = JSON.parse(args[0] ?? "{}") as ClusterOptions;
const begun = Date.now();
/** Longer than any run takes that comes to an end. */
const maxMs = 25 * 60_000;
setTimeout(() => {
  console.error(`the bench on a cluster is given up after ${maxMs / 60_000} minutes`);
  end(1);
}, maxMs);

let figures: ClusterFigures = {};

/** With what there is. */
function end(code: number): void {
  process.send?.(figures, () => process.exit(code));
}

const say = (line: string) => {
  const seconds = Math.round((Date.now() - begun) / 1_000);
  console.error(
    `  ${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}  ${line} …`,
  );
};
say("a control plane, three copies of Entrance");
const { facts } = await startField(scratch, programs);
await runRows(facts, options, say, (row) => {
  figures = { ...figures, ...row };
  say(JSON.stringify(row));
});
end(Number(process.exitCode ?? 0));
