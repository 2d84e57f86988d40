/**
 * The store inside one process, over SQLite: node:sqlite in Node, a SQLite Durable Object in workerd.
 * SQLite is synchronous and has one writer, so each call is one indivisible step and reads are linearizable.
 */
import { EntranceError, invariant } from "../model/error.ts";
import { checkCommit, checkKey, checkList } from "./limits.ts";
import type { CommitResult, Entry, Key, Page, Store } from "./port.ts";
import type { Row, Sql } from "./sql.ts";

/** Written beside the data; a later format is refused rather than guessed at. */
const format = 1;

// TEXT compares as the bytes of its UTF-8 (collation BINARY). `version` stands before `value`, so that a check never
// walks a large value's overflow pages. STRICT: a value comes back as the type that it went in. Not WITHOUT ROWID: that
// b-tree keeps only 1 KB of a row on its page, which made rows of 1 to 20 KB twice as slow and the file three times as
// large.
const schema = [
  `CREATE TABLE IF NOT EXISTS entries (
    partition TEXT NOT NULL, sort TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (partition, sort)
  ) STRICT`,
  "CREATE TABLE IF NOT EXISTS store (id INTEGER PRIMARY KEY, format INTEGER NOT NULL, version INTEGER NOT NULL) STRICT",
  `INSERT INTO store (id, format, version) VALUES (1, ${format}, 0) ON CONFLICT DO NOTHING`,
];

const selectFormat = "SELECT format FROM store";
const selectEntry = "SELECT version, value FROM entries WHERE partition = ? AND sort = ?";
const selectVersion = "SELECT version FROM entries WHERE partition = ? AND sort = ?";
const selectPage = "SELECT sort, version, value FROM entries WHERE partition = ? AND sort > ? ORDER BY sort LIMIT ?";
// One counter for all keys never repeats for any of them, whatever is deleted.
const nextVersion = "UPDATE store SET version = version + 1 RETURNING version";
const lastVersion = "SELECT version FROM store";
const upsert = `INSERT INTO entries (partition, sort, version, value) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value`;
const remove = "DELETE FROM entries WHERE partition = ? AND sort = ?";

/** A page ends early beyond this many UTF-16 units of values: a worker has 128 MB in all. */
const pageUnits = 4_000_000;
/** Read at a time, so that a page overshoots by 32 values at most. */
const rowsPerRead = 32;

/** Makes the tables where they are missing. Throws `misconfigured` for a later format, `unavailable` as SQLite fails. */
export function openEmbeddedStore(sql: Sql): Store {
  attempt(() =>
    sql.transaction(() => {
      for (const statement of schema) sql.query(statement);
      const found = only(sql.query(selectFormat))["format"];
      if (found !== format) {
        const sentence = `the store has format ${found}, and this Entrance reads format ${format}: run the newer Entrance`;
        throw new EntranceError("misconfigured", sentence);
      }
    }),
  );

  return {
    async get(key) {
      checkKey(key);
      return attempt(() => {
        const row = sql.query(selectEntry, key.partition, key.sort)[0];
        return row && entryOf(key, row);
      });
    },

    async list(partition, after, limit) {
      checkList(partition, after, limit);
      return attempt(() => readPage(sql, partition, after, limit));
    },

    async commit(checks, writes) {
      checkCommit(checks, writes);
      return attempt(() =>
        sql.transaction((): CommitResult => {
          const conflicts = checks.filter(({ key, version }) => versionOf(sql, key) !== version).map(({ key }) => key);
          if (conflicts.length > 0) return { ok: false, conflicts };
          const version = only(sql.query(writes.length > 0 ? nextVersion : lastVersion))["version"];
          invariant(typeof version === "number", "a version is a number");
          for (const { key, value } of writes) {
            if (value === null) sql.query(remove, key.partition, key.sort);
            else sql.query(upsert, key.partition, key.sort, version, value);
          }
          return { ok: true, version: String(version) };
        }),
      );
    },

    async close() {
      attempt(() => sql.close());
    },
  };
}

function readPage(sql: Sql, partition: string, after: string | undefined, limit: number): Page {
  const entries: Entry[] = [];
  let units = 0;
  // No sort key is empty, so all are greater than "".
  let last = after ?? "";
  while (entries.length < limit && units < pageUnits) {
    const wanted = Math.min(rowsPerRead, limit - entries.length);
    const rows = sql.query(selectPage, partition, last, wanted);
    for (const row of rows) {
      last = String(row["sort"]);
      const entry = entryOf({ partition, sort: last }, row);
      units += entry.value.length;
      entries.push(entry);
    }
    if (rows.length < wanted) return { entries, next: undefined };
  }
  return { entries, next: last };
}

function versionOf(sql: Sql, key: Key): string | null {
  const row = sql.query(selectVersion, key.partition, key.sort)[0];
  return row ? String(row["version"]) : null;
}

function entryOf(key: Key, row: Row): Entry {
  return { key, value: String(row["value"]), version: String(row["version"]) };
}

function only(rows: readonly Row[]): Row {
  const row = rows[0];
  invariant(row !== undefined, "the store's own row exists");
  return row;
}

/** SQLite rolls back what it could not finish (disk full, I/O error), so a failure is certain: nothing was written. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof EntranceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EntranceError("unavailable", `the embedded store: ${reason}`, { cause });
  }
}
