/** Real stores that are shared, kept on a disk, and can be stopped and killed. */
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SecretText } from "../../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../../shared/store/dynamodb.ts";
import { openEtcd } from "../../../shared/store/etcd.ts";
import type { Store } from "../../../shared/store/port.ts";
import { DynamoDBLocal, localKeys } from "../../harness/dynamodb.ts";
import { startEtcd } from "../../harness/etcd.ts";

export interface RealStore {
  readonly name: string;
  readonly port: number;
  /** For an Entrance that finds it at this port. */
  environment(port: number): Readonly<Record<string, string>>;
  /** Past everything that goes wrong between it and Entrances. */
  open(): Store;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Without a warning; but it has all that it ever answered. `cutOff`: nobody reaches it from now on. */
  kill(cutOff: () => void): Promise<void>;
  /** With all that it had. */
  start(): Promise<void>;
  /** Where it keeps what it has. */
  files(): string[];
  /** What its process printed. */
  printed(): string;
  /** All that it tells who asks for everything. */
  everything(): Promise<string>;
  stop(): Promise<void>;
}

const prefix = "drill";
/** Half an hour of history that nobody compacts. */
const quotaBytes = 8 * 1024 ** 3;
const lookMs = 10;
const quietLooks = 30;
/** What etcd gives at a time. */
const pageKeys = 1_000;

export async function realEtcd(): Promise<RealStore> {
  const etcd = await startEtcd({ args: ["--quota-backend-bytes", String(quotaBytes)] });
  const [member] = etcd.members;
  if (member === undefined) throw new Error("one member was asked for");
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const port = Number(new URL(member.url).port);
  return {
    name: "etcd",
    port,
    environment: (at) => ({
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: url(at),
      ENTRANCE_ETCD_PREFIX: prefix,
    }),
    open: () => openEtcd({ endpoints: [url(port)], prefix, user: undefined, ca: undefined, client: undefined }),
    signal: (signal) => member.signal(signal),
    kill: () => member.kill(),
    start: () => member.start(),
    files: () => etcd.files(),
    printed: () => member.said,
    everything: () => rangeOfAll(url(port)),
    stop: () => etcd.stop(),
  };
}

/** What is empty is left out of JSON. */
interface Range {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
  readonly more?: boolean;
}

/** `get --prefix ""`, by etcd's JSON gateway. */
async function rangeOfAll(url: string): Promise<string> {
  const texts: string[] = [];
  for (let from = Buffer.from("\0"); ; ) {
    const body = { key: from.toString("base64"), range_end: Buffer.from("\0").toString("base64"), limit: pageKeys };
    const answer = await fetch(`${url}/v3/kv/range`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answers ${answer.status} ${await answer.text()}`);
    const { kvs = [], more = false } = (await answer.json()) as Range;
    for (const { key, value = "" } of kvs) texts.push(textOf(key), textOf(value));
    const last = kvs.at(-1);
    if (!more || last === undefined) return texts.join("\n");
    from = Buffer.concat([Buffer.from(last.key, "base64"), Buffer.from("\0")]);
  }
}

function textOf(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

export async function realDynamoDB(): Promise<RealStore> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-dynamodb-"));
  const local = await DynamoDBLocal.start(directory);
  await local.createTable(prefix);
  const credentials = {
    id: localKeys.AWS_ACCESS_KEY_ID,
    secret: new SecretText(localKeys.AWS_SECRET_ACCESS_KEY),
    session: undefined,
  };
  return {
    name: "DynamoDB Local",
    port: local.port,
    environment: (at) => ({
      ENTRANCE_STORE: "dynamodb",
      ENTRANCE_DYNAMODB_TABLE: prefix,
      ENTRANCE_DYNAMODB_ENDPOINT: `http://127.0.0.1:${at}`,
      ...localKeys,
    }),
    open: () => openDynamoDB({ table: prefix, endpoint: local.endpoint, region: localKeys.AWS_REGION, credentials }),
    signal: (signal) => local.signal(signal),
    // Unlike DynamoDB it answers some milliseconds before a transaction is on the disk.
    kill: async (cutOff) => {
      cutOff();
      await atRest(directory);
      await local.kill();
    },
    start: () => local.start(),
    files: () => globSync(join(directory, "*")),
    printed: () => local.said,
    everything: () => local.stored(prefix),
    stop: async () => {
      await local.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Until no transaction is seen for a while. */
async function atRest(directory: string): Promise<void> {
  for (let quiet = 0; quiet < quietLooks; await sleep(lookMs)) {
    quiet = globSync(join(directory, "*-journal")).length === 0 ? quiet + 1 : 0;
  }
}
