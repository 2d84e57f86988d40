/** The stores that many processes share, in Node. */
import { EntranceError } from "../shared/model/error.ts";
import type { Store } from "../shared/store/port.ts";
import { readPem } from "./setting-file.ts";
import type { DynamoDBConfig, EtcdConfig } from "./store-config.ts";

/** Throws `misconfigured` where a file can't be read. Nothing is sent yet; of the clients only this one is loaded. */
export async function openSharedStore(config: EtcdConfig | DynamoDBConfig): Promise<Store> {
  if (config.type === "dynamodb") {
    const { openDynamoDB } = await import("../shared/store/dynamodb.ts");
    // AWS's client finds credentials by itself, and renews those of a role.
    return openDynamoDB({ ...config, credentials: undefined });
  }
  const { openEtcd } = await import("../shared/store/etcd.ts").catch((cause: unknown) => {
    const sentence = "the package etcd3 is not installed beside this bundle: npm install etcd3@1.1.2";
    throw new EntranceError("misconfigured", sentence, { cause });
  });
  const { caFile, client } = config;
  return openEtcd({
    ...config,
    ca: caFile === undefined ? undefined : read("ENTRANCE_ETCD_CA", caFile),
    client:
      client === undefined
        ? undefined
        : {
            certificate: read("ENTRANCE_ETCD_CERT", client.certificateFile),
            key: read("ENTRANCE_ETCD_KEY", client.keyFile),
          },
  });
}

function read(setting: string, file: string): Buffer {
  return Buffer.from(readPem(setting, { file }));
}
