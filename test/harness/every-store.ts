/** The three stores, the shared ones real; each place in one of them is empty. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../functions/config.ts";
import { openSharedStore } from "../../functions/shared-store.ts";
import { openNodeStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { DynamoDBLocal, localKeys } from "./dynamodb.ts";
import { startEtcd } from "./etcd.ts";

export const storeNames = ["embedded", "etcd", "dynamodb"] as const;
export type StoreName = (typeof storeNames)[number];

/** Somewhere in a store. */
export interface Place {
  /** As Entrance is told of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly open: () => Promise<Store>;
}

export interface Stores {
  readonly place: (name: StoreName) => Promise<Place>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** etcd keeps no history that nobody reads, and has room for two large clusters. */
const etcdArgs = [
  "--quota-backend-bytes=8589934592",
  "--auto-compaction-mode=revision",
  "--auto-compaction-retention=1000",
];

export async function startStores(): Promise<Stores> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-stores-"));
  const etcd = await startEtcd({ args: etcdArgs });
  const dynamoDb = await DynamoDBLocal.start().catch(async (error: unknown) => {
    await etcd.stop();
    throw error;
  });
  const environments: Record<StoreName, () => Promise<Record<string, string>>> = {
    embedded: async () => ({ ENTRANCE_STORE: "embedded", ENTRANCE_DATA: join(directory, randomUUID()) }),
    etcd: async () => ({
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: etcd.urls.join(","),
      ENTRANCE_ETCD_PREFIX: randomUUID(),
    }),
    dynamodb: async () => {
      const table = randomUUID();
      await dynamoDb.createTable(table);
      return {
        ENTRANCE_STORE: "dynamodb",
        ENTRANCE_DYNAMODB_TABLE: table,
        ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
        ...localKeys,
      };
    },
  };
  // AWS's client finds them where it finds everything else.
  Object.assign(process.env, localKeys);
  return {
    async place(name) {
      const environment = await environments[name]();
      const { store, dataDirectory } = readConfig(environment);
      const open = async () =>
        store.type === "embedded" ? openNodeStore(join(dataDirectory, "entrance.sqlite")) : openSharedStore(store);
      return { environment, open };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([etcd.stop(), dynamoDb.stop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
