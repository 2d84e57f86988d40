/** AWS's DynamoDB Local with the table of infra/aws/table.yaml; in memory, or in a folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import * as v from "valibot";
import { dynamoDbLocalJars } from "../../infra/local/setup/dynamodb-local.mjs";
import { root } from "../../infra/wrangler.ts";
import { readTemplate } from "./cloudformation.ts";
import { freePorts } from "./free-ports.ts";

const upWithinMs = 60_000;
/** Ours alone run it, and it has no idea of secrets. */
export const localKeys = { AWS_REGION: "local", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
const credentials = { accessKeyId: localKeys.AWS_ACCESS_KEY_ID, secretAccessKey: localKeys.AWS_SECRET_ACCESS_KEY };

export class DynamoDBLocal {
  readonly port: number;
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly #directory: string | undefined;
  #child: ChildProcess | undefined;
  /** All that it ever printed. */
  said = "";

  private constructor(port: number, directory: string | undefined) {
    this.port = port;
    this.#directory = directory;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.client = new DynamoDBClient({ endpoint: this.endpoint, region: localKeys.AWS_REGION, credentials });
  }

  /** In this folder it keeps what it has; without one it remembers nothing. */
  static async start(directory?: string): Promise<DynamoDBLocal> {
    const [port = 0] = await freePorts(1);
    const made = new DynamoDBLocal(port, directory);
    await made.start();
    return made;
  }

  /** Again after {@link kill}. */
  async start(): Promise<void> {
    const jars = dynamoDbLocalJars(root).map(({ file }) => file);
    if (jars.some((file) => !existsSync(file))) throw new Error("DynamoDB Local is missing. Type: npm run setup");
    const main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
    const kept = this.#directory === undefined ? ["-inMemory"] : ["-sharedDb", "-dbPath", this.#directory];
    const options = [...kept, "-disableTelemetry", "-port", String(this.port)];
    const child = spawn("java", ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", jars.join(":"), main, ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.said += chunk.toString();
      });
    }
    let fault: Error | undefined;
    child.on("error", (error) => {
      fault = error;
    });
    for (const deadline = Date.now() + upWithinMs; ; await sleep(50)) {
      if (fault !== undefined) throw new Error("Java is not installed. On Debian and Ubuntu, type: npm run setup");
      if (child.exitCode !== null)
        throw new Error(`DynamoDB Local ended (it needs Java 17 or newer): ${this.said.slice(-4_000)}`);
      // Any answer will do: a request without a signature gets 400.
      if (await fetch(this.endpoint).catch(() => undefined)) return;
      if (Date.now() > deadline) throw new Error(`DynamoDB Local does not answer: ${this.said.slice(-4_000)}`);
    }
  }

  /** As the template has it, less what is about a deployment or what Local has no idea of. */
  async createTable(name: string): Promise<void> {
    const { AttributeDefinitions, KeySchema, BillingMode } = tableProperties();
    const definition = { AttributeDefinitions, KeySchema, BillingMode, TableName: name };
    await this.client.send(new CreateTableCommand(definition as CreateTableCommandInput));
  }

  /** All that a table holds. */
  async stored(name: string): Promise<string> {
    const texts: string[] = [];
    let after: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.client.send(new ScanCommand({ TableName: name, ExclusiveStartKey: after }));
      texts.push(JSON.stringify(page.Items));
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
    return texts.join("\n");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.kill();
  }
}

const Template = v.object({
  Resources: v.object({
    Table: v.object({ Type: v.literal("AWS::DynamoDB::Table"), Properties: v.record(v.string(), v.unknown()) }),
  }),
});

function tableProperties(): Readonly<Record<string, unknown>> {
  return v.parse(Template, readTemplate("table.yaml")).Resources.Table.Properties;
}
