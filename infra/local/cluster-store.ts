/** The little etcd under `npm run apply`: each object's last state, and one counter that only rises. */
import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { ClusterObject } from "./cluster-object.ts";

/** How long a second `npm run apply` waits for its turn. */
const busyMs = 10_000;

export class ClusterStore {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: busyMs });
    // Secrets lie in it as in a cluster's own store. What SQLite writes beside it has the same mode.
    if (file !== ":memory:") chmodSync(file, 0o600);
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;
      INSERT OR IGNORE INTO counter VALUES (1, 1000);
    `);
  }

  close(): void {
    this.#database.close();
  }

  /** One write at a time, also between processes; what `work` has written is kept only when it succeeds. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = await work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  get(key: string): ClusterObject | undefined {
    const row = this.#database.prepare("SELECT value FROM object WHERE key = ?").get(key);
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  }

  list(): ClusterObject[] {
    const rows = this.#database.prepare("SELECT value FROM object ORDER BY key").all();
    return rows.map((row) => JSON.parse(String(row["value"])));
  }

  put(key: string, object: ClusterObject): void {
    this.#database.prepare("INSERT OR REPLACE INTO object VALUES (?, ?)").run(key, JSON.stringify(object));
  }

  remove(key: string): void {
    this.#database.prepare("DELETE FROM object WHERE key = ?").run(key);
  }

  nextResourceVersion(): string {
    const row = this.#database.prepare("UPDATE counter SET last = last + 1 RETURNING last").get();
    return String(row?.["last"]);
  }
}
