/** One process at a time: a file lock that the kernel frees when its holder dies, however it dies. */
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Holds the folder until `release`, or undefined when another process does. */
export function lockFolder(data: string): { readonly release: () => void } | undefined {
  // Node has no flock; SQLite's exclusive transaction is one, of the same lifetime.
  const database = new DatabaseSync(path.join(data, "lock"));
  try {
    database.exec("BEGIN EXCLUSIVE");
    return { release: () => database.close() };
  } catch {
    database.close();
    return undefined;
  }
}
