/** The store in one table of DynamoDB (infra/aws/table.yaml). */
import {
  BatchGetItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { SecretText } from "../model/secret-text.ts";
import { Deadline, pause } from "./deadline.ts";
import { attempted, firstPauseMs, gaveUp, maxPauseMs, untilAnswered } from "./dynamodb-attempt.ts";
import { entryOf, type Item, itemOf, keyOf, nameOf } from "./dynamodb-item.ts";
import { Gathered } from "./gathered.ts";
import { checkCommit, checkKey, checkList } from "./limits.ts";
import type { Check, CommitResult, Entry, Key, Page, Store, Write } from "./port.ts";

export interface DynamoDBSettings {
  readonly table: string;
  /** Another than AWS's own for the region: DynamoDB Local. */
  readonly endpoint: string | undefined;
  /** Without it, as AWS's client finds it by itself. */
  readonly region: string | undefined;
  /** Without them, as AWS's client finds them by itself: a role's, mostly. A worker has nothing to find them in. */
  readonly credentials:
    | { readonly id: string; readonly secret: SecretText; readonly session: SecretText | undefined }
    | undefined;
}

/** A page ends early beyond this many UTF-16 units of values: a worker has 128 MB in all. */
const pageUnits = 4_000_000;
type Action = { readonly key: Key; readonly check: Check | undefined; readonly write: Write | undefined };

/** Nothing is sent before the first call. */
export function openDynamoDB(settings: DynamoDBSettings): Store {
  const client = new DynamoDBClient(configOf(settings));
  const table = new Table(client, settings.table);
  const gathered = new Gathered((keys: readonly Key[]) => table.read(keys));
  return {
    async get(key) {
      checkKey(key);
      return gathered.ask(key);
    },
    async list(partition, after, limit) {
      checkList(partition, after, limit);
      return table.list(partition, after, limit);
    },
    async commit(checks, writes) {
      checkCommit(checks, writes);
      const actions = actionsOf(checks, writes);
      const [first] = actions;
      if (actions.length === 1 && first?.check != null) {
        if (first.write === undefined) return table.compare(first.check);
        // A version never comes back, so this put happens once however often it is sent.
        if (first.write.value !== null && first.check.version !== null) {
          return table.replace(first.key, first.check.version, first.write.value);
        }
      }
      return table.transact(actions);
    },
    async close() {
      client.destroy();
    },
  };
}

class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async get(key: Key): Promise<Entry | undefined> {
    const command = new GetItemCommand({ TableName: this.#name, Key: keyOf(key), ConsistentRead: true });
    const { Item: item } = await untilAnswered((signal) => this.#client.send(command, signal));
    return item === undefined ? undefined : entryOf(item);
  }

  /** What DynamoDB has no capacity for at the moment, it leaves unread: that is asked for again. */
  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    const [only] = keys;
    if (keys.length === 1 && only !== undefined) return [await this.get(only)];
    const found = new Map<string, Entry>();
    const deadline = new Deadline();
    // DynamoDB takes each key once.
    let left: Item[] = [...new Map(keys.map((key) => [nameOf(key), keyOf(key)])).values()];
    for (let ceiling = firstPauseMs; ; ceiling = Math.min(ceiling * 2, maxPauseMs)) {
      const command = new BatchGetItemCommand({ RequestItems: { [this.#name]: { Keys: left, ConsistentRead: true } } });
      const answer = await untilAnswered((signal) => this.#client.send(command, signal));
      const entries = (answer.Responses?.[this.#name] ?? []).map(entryOf);
      for (const entry of entries) found.set(nameOf(entry.key), entry);
      left = answer.UnprocessedKeys?.[this.#name]?.Keys ?? [];
      if (left.length === 0) return keys.map((key) => found.get(nameOf(key)));
      if (deadline.isNear()) throw gaveUp({ type: "throttled", says: "keys are left unread" }, undefined);
      if (entries.length === 0) await pause(Math.random() * ceiling);
    }
  }

  async list(partition: string, after: string | undefined, limit: number): Promise<Page> {
    const entries: Entry[] = [];
    let units = 0;
    let last = after;
    while (entries.length < limit && units < pageUnits) {
      const command = new QueryCommand({
        TableName: this.#name,
        ConsistentRead: true,
        Limit: limit - entries.length,
        KeyConditionExpression: last === undefined ? "p = :p" : "p = :p AND s > :s",
        ExpressionAttributeValues: { ":p": { S: partition }, ...(last === undefined ? {} : { ":s": { S: last } }) },
      });
      // DynamoDB ends an answer at 1 MB.
      const { Items: items = [], LastEvaluatedKey: more } = await untilAnswered((signal) =>
        this.#client.send(command, signal),
      );
      for (const item of items) {
        const entry = entryOf(item);
        units += entry.value.length;
        entries.push(entry);
      }
      if (more === undefined) return { entries, next: undefined };
      last = more["s"]?.S ?? last;
    }
    return { entries, next: last };
  }

  async compare({ key, version }: Check): Promise<CommitResult> {
    const found = (await this.get(key))?.version ?? null;
    return found === version ? { ok: true, version: version ?? newVersion() } : { ok: false, conflicts: [key] };
  }

  /** One put of a version that is known: half the price of a transaction. */
  async replace(key: Key, version: string, value: string): Promise<CommitResult> {
    const id = newVersion();
    const command = new PutItemCommand({
      TableName: this.#name,
      Item: itemOf(key, value, id),
      ConditionExpression: "w = :w",
      ExpressionAttributeValues: { ":w": { S: version } },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return attempted<CommitResult>(
      async (signal) => {
        await this.#client.send(command, signal);
        return { ok: true, version: id };
      },
      (fault, wasLost) => {
        if (fault.version === id) return { ok: true, version: id };
        // After a lost answer: ours may have been there and was replaced.
        return wasLost ? undefined : { ok: false, conflicts: [key] };
      },
    );
  }

  /** Sent again it has the same token, by which DynamoDB knows for ten minutes what it has done already. */
  async transact(actions: readonly Action[]): Promise<CommitResult> {
    const id = newVersion();
    const command = new TransactWriteItemsCommand({
      ClientRequestToken: id,
      TransactItems: actions.map((action) => this.#transactItem(action, id)),
    });
    return attempted<CommitResult>(
      async (signal) => {
        await this.#client.send(command, signal);
        return { ok: true, version: id };
      },
      ({ places }, wasLost) => {
        const failed = places.flatMap((place) => actions[place] ?? []);
        // A request that is still on its way could find absent again what was there now; no version comes back.
        if (wasLost && failed.every(({ check }) => check?.version === null)) return undefined;
        return { ok: false, conflicts: failed.map(({ key }) => key) };
      },
    );
  }

  #transactItem({ key, check, write }: Action, id: string): TransactWriteItem {
    const at = { TableName: this.#name, ...conditionOf(check) };
    if (write === undefined) {
      return { ConditionCheck: { ConditionExpression: "attribute_not_exists(p)", ...at, Key: keyOf(key) } };
    }
    if (write.value === null) return { Delete: { ...at, Key: keyOf(key) } };
    return { Put: { ...at, Item: itemOf(key, write.value, id) } };
  }
}

function configOf({ endpoint, region, credentials }: DynamoDBSettings): DynamoDBClientConfig {
  return {
    // Its own retries would hide that an answer was lost.
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.id,
            secretAccessKey: credentials.secret.reveal(),
            ...(credentials.session === undefined ? {} : { sessionToken: credentials.session.reveal() }),
          },
        }),
  };
}

/** What is checked and written of one key is one action. */
function actionsOf(checks: readonly Check[], writes: readonly Write[]): Action[] {
  const actions = new Map<string, Action>();
  for (const check of checks) actions.set(nameOf(check.key), { key: check.key, check, write: undefined });
  for (const write of writes) {
    const name = nameOf(write.key);
    actions.set(name, { key: write.key, check: actions.get(name)?.check, write });
  }
  return [...actions.values()];
}

function conditionOf(check: Check | undefined) {
  if (check === undefined) return {};
  if (check.version === null) return { ConditionExpression: "attribute_not_exists(p)" };
  return { ConditionExpression: "w = :w", ExpressionAttributeValues: { ":w": { S: check.version } } };
}

/** 36 characters, as many as a token has at most. */
function newVersion(): string {
  return crypto.randomUUID();
}
