/** The stores that many processes share, in Node. */
import { readFileSync } from "node:fs";
import { EntranceError } from "../shared/model/error.ts";
import type { Store } from "../shared/store/port.ts";
import { failSetting } from "./setting.ts";
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
    ca: caFile === undefined ? undefined : readPem("ENTRANCE_ETCD_CA", caFile),
    client:
      client === undefined
        ? undefined
        : {
            certificate: readPem("ENTRANCE_ETCD_CERT", client.certificateFile),
            key: readPem("ENTRANCE_ETCD_KEY", client.keyFile),
          },
  });
}

function readPem(setting: string, file: string): Buffer {
  try {
    const pem = readFileSync(file);
    if (pem.includes("-----BEGIN ")) return pem;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EntranceError("misconfigured", `${setting} cannot be read: ${reason}`, { cause });
  }
  return failSetting(setting, `names a file that is no PEM: ${file}`);
}
