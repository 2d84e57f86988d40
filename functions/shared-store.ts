/** The stores that many processes share, where there is Node: in a pod, and on Lambda. */
import { readFileSync } from "node:fs";
import { EntranceError } from "../shared/model/error.ts";
import { openDynamoDB } from "../shared/store/dynamodb.ts";
import { openEtcd } from "../shared/store/etcd.ts";
import type { Store } from "../shared/store/port.ts";
import { failSetting } from "./setting.ts";
import type { DynamoDBConfig, EtcdConfig } from "./store-config.ts";

/** Throws `misconfigured` where a file can't be read. Nothing is sent yet. */
export function openSharedStore(config: EtcdConfig | DynamoDBConfig): Store {
  // AWS's client finds credentials by itself, and renews those of a role.
  if (config.type === "dynamodb") return openDynamoDB({ ...config, credentials: undefined });
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
