/**
 * What Entrance needs of a store: linearizable reads, listing one partition, and an atomic conditional commit.
 * Every store runs the same conformance suite (test/store/conformance.ts).
 */

/**
 * A key is PARTITION/SORT, neither empty nor with NUL. A list names one whole partition, and never what is in
 * `PARTITION/more`; its order is that of the sort keys' UTF-8 bytes.
 */
export interface Key {
  readonly partition: string;
  readonly sort: string;
}

/** Opaque; differs for every write that ever happens to a key, also after the key was deleted. */
export type Version = string;

export interface Entry {
  readonly key: Key;
  /** JSON text, at most {@link maxValueBytes}. */
  readonly value: string;
  readonly version: Version;
}

export interface Check {
  readonly key: Key;
  /** null: the key must not exist. */
  readonly version: Version | null;
}

/** `value: null` deletes; deleting what is not there is no error. */
export interface Write {
  readonly key: Key;
  readonly value: string | null;
}

export type CommitResult =
  /** `version` is that of every entry written. */
  | { readonly ok: true; readonly version: Version }
  /** Nothing was written; these are all the checks that did not hold. */
  | { readonly ok: false; readonly conflicts: readonly Key[] };

export interface Page {
  readonly entries: readonly Entry[];
  /** Where to go on (`after` of the next list); undefined when this was the last page. What follows may be empty. */
  readonly next: string | undefined;
}

/** What cannot be taken is thrown as `invalid` or `too-large`, a store that does not answer as `unavailable`. */
export interface Store {
  get(key: Key): Promise<Entry | undefined>;

  /**
   * Entries of one partition with sort > `after`, at most `limit` (1 to {@link maxPageSize}); fewer, with `next`, where
   * the values are large. Each entry is read linearizably; a page is no snapshot.
   */
  list(partition: string, after: string | undefined, limit: number): Promise<Page>;

  /**
   * All writes if all checks hold, otherwise nothing. 1 to {@link maxCommitKeys} distinct keys and at most
   * {@link maxCommitBytes} of values; a check and a write of one key are one action; a key is checked at most once and
   * written at most once. An uncertain outcome is read back by the store or thrown
   * as `uncertain`; it is never reported as a conflict.
   */
  commit(checks: readonly Check[], writes: readonly Write[]): Promise<CommitResult>;

  /**
   * What the store needs from time to time to stay small; called by the minute, by one of all copies. `now` in ms since
   * 1970. Absent: nothing.
   */
  tend?(now: number): Promise<void>;

  close(): Promise<void>;
}

/** DynamoDB takes 100 actions a transaction, etcd 128 operations; checks and writes share them. */
export const maxCommitKeys = 40;
/** DynamoDB's items end at 400 KB, with names and versions. */
export const maxValueBytes = 350_000;
/** etcd takes 1.5 MiB a request, DynamoDB 4 MB a transaction. */
export const maxCommitBytes = 1_000_000;
/** DynamoDB's limit of a partition key and of a sort key. */
export const maxPartitionBytes = 2_048;
export const maxSortBytes = 1_024;
export const maxPageSize = 1_000;

export function keyText(key: Key): string {
  return `${key.partition}/${key.sort}`;
}
