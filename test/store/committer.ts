/**
 * A process of its own on a store's file, for the tests to kill. Each commit writes one more entry to two partitions
 * and the counter that it checks; its number is printed only once it is acknowledged.
 * `node committer.ts FILE [BYTES]`: values of that size.
 */
import { writeSync } from "node:fs";
import { EntranceError } from "../../shared/model/error.ts";
import { openNodeStore } from "../../shared/store/node-sqlite.ts";

const [path = "", bytes = "100"] = process.argv.slice(2);
const padding = "v".repeat(Number(bytes));
const counter = { partition: "counter", sort: "last" };

try {
  const store = openNodeStore(path);
  for (;;) {
    const last = await store.get(counter);
    const sort = String(Number(last?.value ?? "0") + 1);
    const value = `${sort} ${padding}`;
    const result = await store.commit(
      [{ key: counter, version: last?.version ?? null }],
      [
        { key: { partition: "left", sort }, value },
        { key: { partition: "right", sort }, value },
        { key: counter, value: sort },
      ],
    );
    if (!result.ok) throw new Error("somebody else commits to this file");
    writeSync(1, `${sort}\n`);
  }
} catch (error) {
  const { code, message } = error instanceof EntranceError ? error : { code: "", message: String(error) };
  writeSync(2, `${code}: ${message}\n`);
  process.exitCode = 1;
}
