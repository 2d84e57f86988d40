/** The embedded store's file in Node. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { EntranceError } from "../model/error.ts";
import { openEmbeddedStore } from "./embedded.ts";
import type { Store } from "./port.ts";
import type { Sql } from "./sql.ts";

/** A restart may overlap with the end of the process before it. */
const lockWaitMs = 1_000;

/**
 * Opens or creates `path` (mode 0600, missing directories 0700) for this process alone, until `close` or its death.
 * It must be on a local disk, and nothing else in this process may open it: closing a file frees all its POSIX locks.
 * A commit that returned survives kill -9. A power failure may take back the last commits, never half of one: the
 * nodes are then ahead of the head, which is repaired as after a restored backup.
 * Throws `misconfigured` if another process holds the file or it can't be used.
 */
export function openNodeStore(path: string): Store {
  const sql = openFile(path);
  try {
    return openEmbeddedStore(sql);
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** For tests: nothing is kept. */
export function openMemoryStore(): Store {
  return openEmbeddedStore(sqlOf(new DatabaseSync(":memory:")));
}

function openFile(path: string): Sql {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives the file the umask's mode, and its WAL the file's.
    closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path, { timeout: lockWaitMs });
    // The lock is the kernel's, on the open file: the death of the process frees it. Taken before WAL, it also spares
    // the shared-memory file.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
    // NORMAL: in WAL the kernel has every commit when it returns; the disk at each checkpoint.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    return sqlOf(database);
  } catch (cause) {
    database?.close();
    throw new EntranceError("misconfigured", sentenceOf(path, cause), { cause });
  }
}

function sentenceOf(path: string, cause: unknown): string {
  // https://sqlite.org/rescode.html: the low byte is the primary code; 5 is SQLITE_BUSY.
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : undefined;
  if (code === 5) {
    return (
      `another process holds ${path}, and the embedded store means exactly one: stop that process, ` +
      "or give each its own file, or set ENTRANCE_STORE to a store that processes share (etcd, dynamodb)"
    );
  }
  return `the store's file ${path} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** Exported for tests that break a database on purpose. */
export function sqlOf(database: DatabaseSync): Sql {
  const statements = new Map<string, StatementSync>();
  const query: Sql["query"] = (text, ...bindings) => {
    let statement = statements.get(text);
    if (!statement) {
      statement = database.prepare(text);
      statements.set(text, statement);
    }
    return statement.all(...bindings);
  };
  return {
    query,
    transaction(work) {
      query("BEGIN");
      try {
        const result = work();
        query("COMMIT");
        return result;
      } catch (error) {
        // SQLite ends the transaction by itself on some errors (disk full).
        if (database.isTransaction) query("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}
