/** infra/aws/entrance.yaml against what the function is and does. */

import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { root } from "../../infra/wrangler.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import { readTemplate } from "../harness/cloudformation.ts";
import { DynamoDBLocal } from "../harness/dynamodb.ts";
import { HttpProxy } from "../harness/http-proxy.ts";
import { put } from "../store/conformance.ts";

const Statement = v.object({ Sid: v.string(), Action: v.union([v.string(), v.array(v.string())]) });
const Template = v.object({
  Parameters: v.record(v.string(), v.object({ Default: v.optional(v.union([v.string(), v.number()])) })),
  Resources: v.object({
    Store: v.object({ Properties: v.object({ TemplateURL: v.string() }) }),
    Function: v.object({
      Properties: v.object({
        Handler: v.string(),
        Code: v.string(),
        Timeout: v.number(),
        Runtime: v.string(),
        Environment: v.object({ Variables: v.record(v.string(), v.unknown()) }),
      }),
    }),
    Role: v.object({
      Properties: v.object({
        Policies: v.tuple([v.object({ PolicyDocument: v.object({ Statement: v.array(Statement) }) })]),
      }),
    }),
    Schedule: v.object({ Properties: v.object({ ScheduleExpression: v.string() }) }),
  }),
});
const { Parameters, Resources } = v.parse(Template, readTemplate("entrance.yaml"));

test("the function is the bundle's, with settings that there are", () => {
  const { Handler, Code, Environment, Timeout, Runtime } = Resources.Function.Properties;
  const build = readFileSync(`${root}infra/build.ts`, "utf8");
  expect(build).toContain(`lambda: "${Code.split("/").at(-1)}/${Handler.split(".")[0]}.mjs"`);
  expect(readFileSync(`${root}functions/lambda.ts`, "utf8")).toMatch(/export async function handler\(/);
  expect(Runtime).toBe("nodejs24.x");
  const settings = ["config", "store-config", "kube-config"]
    .map((name) => readFileSync(`${root}functions/${name}.ts`, "utf8"))
    .join();
  for (const name of Object.keys(Environment.Variables)) expect(settings).toContain(`"${name}"`);
  // The schedule's event ticks until another one comes.
  expect(Resources.Schedule.Properties.ScheduleExpression).toBe("rate(1 minute)");
  expect(Timeout).toBeGreaterThanOrEqual(60 + 15);
  expect(Resources.Store.Properties.TemplateURL).toBe("table.yaml");
});

test("what it does not need is empty, and then as if it were not set", () => {
  const { Variables } = Resources.Function.Properties.Environment;
  const { Balancers, ...optional } = Parameters;
  expect(Balancers?.Default).toBeUndefined();
  const environment: Record<string, string> = { ENTRANCE_WEBHOOK_TOKEN: "a-token-of-the-tests" };
  for (const [name, value] of Object.entries(Variables)) {
    const parsed = v.safeParse(v.object({ Ref: v.string() }), value);
    if (!parsed.success || parsed.output.Ref === "Balancers") continue;
    const { Default } = optional[parsed.output.Ref] ?? {};
    expect(Default, name).toBeDefined();
    environment[name] = String(Default);
  }
  expect(readConfig(environment)).toEqual(readConfig({ ENTRANCE_WEBHOOK_TOKEN: "a-token-of-the-tests" }));
  // A secret without that key is none to be asked for it.
  expect(Variables["ENTRANCE_KUBE_TOKEN"]).toMatchObject({
    If: ["HasKubeApi", expect.anything(), { Ref: "AWS::NoValue" }],
  });
});

/** Of the secret, by the setting that it becomes. */
const Secret = v.object({
  Sub: v.pipe(v.string(), v.regex(/^\{\{resolve:secretsmanager:\$\{SecretName\}:SecretString:\w+\}\}$/)),
});

test("the secret that its head makes has all that it takes from there: operators' token is not the webhooks'", () => {
  const taken = Object.entries(Resources.Function.Properties.Environment.Variables).flatMap(([name, value]) =>
    v.is(Secret, value) ? [[name, /(\w+)\}\}$/.exec(value.Sub)?.[1] ?? ""] as const] : [],
  );
  expect(Object.fromEntries(taken)).toEqual({
    ENTRANCE_WEBHOOK_TOKEN: "webhookToken",
    ENTRANCE_OPERATOR_TOKEN: "operatorToken",
    ENTRANCE_NODE_KEY: "nodeKey",
    ENTRANCE_SEAL_KEY: "sealKey",
  });
  const head = readFileSync(`${root}infra/aws/entrance.yaml`, "utf8").replaceAll(/^# {0,3}/gm, "");
  const command = /^aws secretsmanager create-secret (?:.*\\\n)*.*$/m.exec(head)?.[0];
  const last = 'aws() { for last; do :; done; printf "%s" "$last"; }';
  const env = { PATH: process.env["PATH"], NODE_KEY: "a-key-of-the-nodes" };
  const made = execFileSync("sh", ["-c", `${last}\n${command}`], { env, encoding: "utf8" });
  const secret = v.parse(v.record(v.string(), v.string()), JSON.parse(made));
  expect(Object.keys(secret).toSorted()).toEqual(taken.map(([, key]) => key).toSorted());
  const environment = Object.fromEntries(taken.map(([name, key]) => [name, secret[key]]));
  const { webhookTokens, operatorTokens, nodeKey } = readConfig({ ...environment, ENTRANCE_LISTEN: "0.0.0.0:443" });
  expect(nodeKey?.reveal()).toBe("a-key-of-the-nodes");
  const tokens = [...webhookTokens, ...operatorTokens].map((token) => token.reveal());
  expect(new Set(tokens).size).toBe(2);
  // They stand in a URL, and in sed's.
  for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{48}$/);
});

test.each(["README.md", "README.zh-CN.md"])("%s: operators call it with their own token", (name) => {
  const readme = readFileSync(`${root}${name}`, "utf8");
  const commands = [...readme.matchAll(/^.*(?:\$\{URL\}|\$URL).*$/gm)].map(([line]) => line);
  const operators = commands.filter((line) => !line.startsWith("sed "));
  expect(operators.length).toBeGreaterThan(1);
  for (const line of operators) expect(line).toContain("$OPERATOR_TOKEN");
  expect(readme).toContain("`operatorToken`");
});

test.each(["README.md", "README.zh-CN.md"])(
  "%s: the cluster's webhooks are told of the function by its URL",
  (name) => {
    const command = /^(sed .*webhooks\.yaml) \|/m.exec(readFileSync(`${root}${name}`, "utf8"))?.[1];
    const env = { PATH: process.env["PATH"], URL: "https://id.lambda-url.eu-central-1.on.aws/", TOKEN: "a-token" };
    const made = execFileSync("sh", ["-c", command ?? "false"], { cwd: root, env, encoding: "utf8" });
    const given = readFileSync(`${root}infra/kubernetes/webhooks.yaml`, "utf8");
    const service = "service:\n        name: entrance\n        namespace: entrance\n";
    expect(given.split(service)).toHaveLength(4);
    expect(made).toBe(given.replaceAll(service, `url: ${env.URL}admission/a-token\n`));
  },
);

test("its rights to the table are those that the store uses, and no others", async () => {
  const server = await DynamoDBLocal.start();
  const proxy = await HttpProxy.start(server.port);
  const credentials = { id: "local", secret: new SecretText("local"), session: undefined };
  const store = openDynamoDB({ table: "entrance", endpoint: proxy.url, region: "local", credentials });
  try {
    await server.createTable("entrance");
    const name = randomUUID();
    const key = { partition: name, sort: "a" };
    const version = await put(store, name, { a: "1", b: "2" });
    await store.commit([{ key, version }], [{ key, value: "3" }]);
    await put(store, name, { b: null });
    await store.list(name, undefined, 10);
    await store.get(key);
    await Promise.all([store.get(key), store.get({ ...key, sort: "b" })]);
    await store.commit([{ key, version: null }], [{ key: { ...key, sort: "c" }, value: "4" }]);
    const used = new Set(proxy.seen.flatMap(({ target, body }) => rightsOf(target.split(".")[1] ?? "", body)));
    const statements = Resources.Role.Properties.Policies[0].PolicyDocument.Statement;
    const granted = statements.flatMap(({ Sid, Action }) => (Sid === "Store" ? [Action].flat() : []));
    expect(granted.toSorted()).toEqual([...used].map((right) => `dynamodb:${right}`).toSorted());
  } finally {
    await store.close();
    await proxy.stop();
    await server.stop();
  }
});

/** A transaction needs the rights of its actions. */
function rightsOf(operation: string, body: string): string[] {
  if (operation !== "TransactWriteItems") return [operation];
  const { TransactItems } = JSON.parse(body) as { TransactItems: Record<string, unknown>[] };
  const rights: Record<string, string> = { Put: "PutItem", Delete: "DeleteItem", ConditionCheck: "ConditionCheckItem" };
  return TransactItems.flatMap((item) => Object.keys(item).map((action) => rights[action] ?? action));
}
