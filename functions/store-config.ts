/** Which store, and how it is reached. */
import { SecretText } from "../shared/model/secret-text.ts";
import { failSetting, type ReadSetting } from "./setting.ts";

export interface EtcdConfig {
  readonly type: "etcd";
  readonly endpoints: readonly string[];
  readonly user: { readonly name: string; readonly password: SecretText } | undefined;
  readonly caFile: string | undefined;
  readonly client: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly prefix: string;
  /** Entrance has etcd drop the history that nobody needs. */
  readonly compacts: boolean;
}

export interface DynamoDBConfig {
  readonly type: "dynamodb";
  readonly table: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** For where AWS's client can't find any by itself: a worker. */
  readonly credentials:
    | { readonly id: string; readonly secret: SecretText; readonly session: SecretText | undefined }
    | undefined;
}

export type StoreConfig = { readonly type: "embedded" } | EtcdConfig | DynamoDBConfig;

export function readStoreConfig(text: ReadSetting): StoreConfig {
  const type = text("ENTRANCE_STORE") ?? "embedded";
  switch (type) {
    case "embedded":
      return { type };
    case "etcd":
      return readEtcd(text);
    case "dynamodb":
      return readDynamoDB(text);
    default:
      return failSetting("ENTRANCE_STORE", "must be embedded, etcd or dynamodb");
  }
}

/** A cluster of etcd has 3 or 5 members, 7 at most. */
const maxEndpoints = 9;

function readEtcd(text: ReadSetting): EtcdConfig {
  const listed = text("ENTRANCE_ETCD_ENDPOINTS") ?? "";
  const endpoints = listed.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  if (endpoints.length === 0 || endpoints.length > maxEndpoints) {
    const sentence = `is needed for ENTRANCE_STORE=etcd: 1 to ${maxEndpoints} URLs like http://10.0.0.5:2379, with commas between`;
    return failSetting("ENTRANCE_ETCD_ENDPOINTS", sentence);
  }
  const prefix = text("ENTRANCE_ETCD_PREFIX") ?? "entrance";
  if (!/^[\x21-\x7e]{1,128}$/.test(prefix)) {
    return failSetting("ENTRANCE_ETCD_PREFIX", "must have 1 to 128 visible ASCII characters");
  }
  return {
    type: "etcd",
    endpoints: endpoints.map((url) => parseOrigin("ENTRANCE_ETCD_ENDPOINTS", url)),
    user: readUser(text("ENTRANCE_ETCD_USER"), text("ENTRANCE_ETCD_PASSWORD")),
    caFile: text("ENTRANCE_ETCD_CA"),
    client: readClient(text("ENTRANCE_ETCD_CERT"), text("ENTRANCE_ETCD_KEY")),
    prefix,
    compacts: readCompaction(text("ENTRANCE_ETCD_COMPACTION") ?? "on"),
  };
}

function readCompaction(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  return failSetting("ENTRANCE_ETCD_COMPACTION", "must be on, or off where others need the history of this etcd");
}

function readUser(name: string | undefined, password: string | undefined): EtcdConfig["user"] {
  if (name === undefined && password === undefined) return undefined;
  if (name === undefined) return failSetting("ENTRANCE_ETCD_USER", "is needed beside ENTRANCE_ETCD_PASSWORD");
  if (password === undefined) return failSetting("ENTRANCE_ETCD_PASSWORD", "is needed beside ENTRANCE_ETCD_USER");
  return { name, password: new SecretText(password) };
}

function readClient(certificateFile: string | undefined, keyFile: string | undefined): EtcdConfig["client"] {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined) return failSetting("ENTRANCE_ETCD_CERT", "is needed beside ENTRANCE_ETCD_KEY");
  if (keyFile === undefined) return failSetting("ENTRANCE_ETCD_KEY", "is needed beside ENTRANCE_ETCD_CERT");
  return { certificateFile, keyFile };
}

function readDynamoDB(text: ReadSetting): DynamoDBConfig {
  const table = text("ENTRANCE_DYNAMODB_TABLE") ?? "entrance";
  if (!/^[a-zA-Z0-9_.-]{3,255}$/.test(table)) {
    return failSetting("ENTRANCE_DYNAMODB_TABLE", "must be a table's name: 3 to 255 letters, digits, _, . and -");
  }
  const endpoint = text("ENTRANCE_DYNAMODB_ENDPOINT");
  const id = text("AWS_ACCESS_KEY_ID");
  const secret = text("AWS_SECRET_ACCESS_KEY");
  const session = text("AWS_SESSION_TOKEN");
  return {
    type: "dynamodb",
    table,
    endpoint: endpoint === undefined ? undefined : parseOrigin("ENTRANCE_DYNAMODB_ENDPOINT", endpoint),
    region: text("AWS_REGION") ?? text("AWS_DEFAULT_REGION"),
    credentials:
      id === undefined || secret === undefined
        ? undefined
        : {
            id,
            secret: new SecretText(secret),
            session: session === undefined ? undefined : new SecretText(session),
          },
  };
}

/** A URL that says where, and nothing else: it stands in messages, so it must carry no secret. */
function parseOrigin(setting: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "" || url.pathname !== "/") {
    return failSetting(setting, "has something that is no URL like https://10.0.0.5:2379 (no user, path or query)");
  }
  if (url.search !== "" || url.hash !== "") return failSetting(setting, "has a URL with a query");
  return url.origin;
}
