/** What SQLite offers in Node and in workerd alike. */

export type Row = Readonly<Record<string, unknown>>;

/** A driver caches its prepared statements and throws what its SQLite throws. */
export interface Sql {
  /** Runs one statement to its end. */
  query(statement: string, ...bindings: readonly (string | number)[]): readonly Row[];
  /** Commits what `work` did, or undoes all of it if anything throws. Not nested. */
  transaction<T>(work: () => T): T;
  close(): void;
}
