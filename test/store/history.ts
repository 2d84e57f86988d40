/** What clients did to a store and what they were told, in the terms of the linearizability checker. */
import { EntranceError } from "../../shared/model/error.ts";
import {
  type Check,
  type CommitResult,
  type Entry,
  type Key,
  keyText,
  type Store,
  type Write,
} from "../../shared/store/port.ts";
import type { Content, Operation } from "./linearizability.ts";

interface Interval {
  readonly client: number;
  readonly start: number;
  readonly end: number;
}

type Told =
  | { readonly kind: "read"; readonly at: Interval; readonly key: Key; readonly entry: Entry | undefined }
  | {
      readonly kind: "commit";
      readonly at: Interval;
      readonly checks: readonly Check[];
      readonly writes: readonly Write[];
      readonly result: CommitResult | "unknown";
    };

/** `keys`: all that the clients use; so a list tells of absent ones, too. Values must differ from write to write. */
export class History {
  readonly #keys: readonly Key[];
  readonly #told: Told[] = [];
  #clock = 0;

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
  }

  /** The same store; what passes through is recorded as this client's. */
  recorded(store: Store, client: number): Store {
    const since = (start: number): Interval => ({ client, start, end: ++this.#clock });
    return {
      get: async (key) => {
        const start = ++this.#clock;
        const entry = await store.get(key);
        this.#told.push({ kind: "read", at: since(start), key, entry });
        return entry;
      },
      list: async (partition, after, limit) => {
        const start = ++this.#clock;
        const page = await store.list(partition, after, limit);
        const at = since(start);
        // Each entry of a page is read by itself, so a list is as many reads side by side.
        for (const key of this.#keys.filter((each) => each.partition === partition)) {
          if (after !== undefined || page.next !== undefined) throw new Error("record lists of whole partitions only");
          this.#told.push({ kind: "read", at, key, entry: page.entries.find((each) => each.key.sort === key.sort) });
        }
        return page;
      },
      commit: async (checks, writes) => {
        const start = ++this.#clock;
        try {
          const result = await store.commit(checks, writes);
          this.#told.push({ kind: "commit", at: since(start), checks, writes, result });
          return result;
        } catch (error) {
          if (error instanceof EntranceError && error.code === "uncertain") {
            const at = { client, start, end: Infinity };
            this.#told.push({ kind: "commit", at, checks, writes, result: "unknown" });
          }
          throw error;
        }
      },
      close: () => store.close(),
    };
  }

  /**
   * The checker knows values, not versions: each check is turned into the value that it stands for.
   * Throws if one version stands for two values of a key, or one value was seen with two versions.
   */
  operations(): Operation[] {
    const valueAt = new Map<string, string>();
    const placeOf = new Map<string, string>();
    const learn = (key: Key, version: string, value: string) => {
      const name = `${keyText(key)} at version ${version}`;
      if ((valueAt.get(name) ?? value) !== value) throw new Error(`${name} is both ${valueAt.get(name)} and ${value}`);
      if ((placeOf.get(value) ?? name) !== name) throw new Error(`${value} is both ${placeOf.get(value)} and ${name}`);
      valueAt.set(name, value);
      placeOf.set(value, name);
    };
    for (const each of this.#told) {
      if (each.kind === "read") {
        if (each.entry) learn(each.key, each.entry.version, each.entry.value);
      } else if (each.result !== "unknown" && each.result.ok) {
        for (const { key, value } of each.writes) if (value !== null) learn(key, each.result.version, value);
      }
    }
    const expected = ({ key, version }: Check): Content =>
      version === null ? null : (valueAt.get(`${keyText(key)} at version ${version}`) ?? `never seen: ${version}`);

    return this.#told.map((each): Operation => {
      if (each.kind === "read") {
        return { ...each.at, action: { kind: "read", key: keyText(each.key), found: each.entry?.value ?? null } };
      }
      const { checks, writes, result } = each;
      return {
        ...each.at,
        action: {
          kind: "commit",
          expects: new Map(checks.map((check) => [keyText(check.key), expected(check)])),
          writes: new Map(writes.map(({ key, value }) => [keyText(key), value])),
          outcome: result === "unknown" ? result : result.ok ? "ok" : result.conflicts.map(keyText),
        },
      };
    });
  }
}
