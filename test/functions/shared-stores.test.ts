/** The doors where the store is shared: both hosts on etcd and on DynamoDB. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { DynamoDBLocal, localKeys } from "../harness/dynamodb.ts";
import type { Platform } from "../harness/entrance-process.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { startProcessHost } from "../harness/process-host.ts";
import type { RunningHost } from "./caller.ts";
import { runDoorCases } from "./cases.ts";

let etcd: EtcdCluster;
let dynamoDb: DynamoDBLocal;
beforeAll(async () => {
  [etcd, dynamoDb] = await Promise.all([startEtcd(), DynamoDBLocal.start()]);
});
afterAll(async () => {
  await Promise.all([etcd.stop(), dynamoDb.stop()]);
});

interface SharedStore {
  readonly environment: Readonly<Record<string, string>>;
  readonly stored: () => Promise<string>;
}

/** Each host begins with an empty store. */
const stores: Record<string, () => Promise<SharedStore>> = {
  etcd: async () => ({
    environment: {
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: etcd.urls.join(","),
      ENTRANCE_ETCD_PREFIX: randomUUID(),
    },
    stored: async () => etcd.stored(),
  }),
  DynamoDB: async () => {
    const table = randomUUID();
    await dynamoDb.createTable(table);
    return {
      environment: {
        ENTRANCE_STORE: "dynamodb",
        ENTRANCE_DYNAMODB_TABLE: table,
        ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
        ...localKeys,
      },
      stored: () => dynamoDb.stored(table),
    };
  },
};

for (const platform of ["node", "workerd"] as const) {
  for (const [name, open] of Object.entries(stores)) {
    runDoorCases({ name: `${platform} on ${name}`, start: (environment) => start(platform, open, environment) });
  }
}

async function start(
  platform: Platform,
  open: () => Promise<SharedStore>,
  environment: Readonly<Record<string, string>>,
): Promise<RunningHost> {
  const store = await open();
  const host = await startProcessHost(platform, { ...environment, ...store.environment });
  return { ...host, stored: store.stored };
}
