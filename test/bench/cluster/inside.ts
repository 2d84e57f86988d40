/** Inside the namespaces, as their first process: a cluster, then the rows, one after another. */
import { entered } from "../../cluster/enter.ts";
import { startField } from "../../cluster/field.ts";
import type { ClusterOptions } from "../cluster.ts";
import { runRows } from "./rows.ts";

const { scratch, programs, args } = entered();
const options = JSON.parse(args[0] ?? "{}") as ClusterOptions;
const begun = Date.now();
/** Longer than any run takes that comes to an end. */
const maxMs = 25 * 60_000;
setTimeout(() => {
  console.error(`the bench on a cluster is given up after ${maxMs / 60_000} minutes`);
  process.exit(1);
}, maxMs);

const say = (line: string) => {
  const seconds = Math.round((Date.now() - begun) / 1_000);
  console.error(
    `  ${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}  ${line} …`,
  );
};
say("a control plane, three copies of Entrance");
const { facts } = await startField(scratch, programs);
const figures = await runRows(facts, options, say);
process.send?.(figures, () => process.exit(0));
