/** infra/aws/entrance.yaml against what the function is and does. */

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import { readTemplate } from "../harness/cloudformation.ts";
import { DynamoDBLocal } from "../harness/dynamodb.ts";
import { HttpProxy } from "../harness/http-proxy.ts";
import { put } from "../store/conformance.ts";

const Statement = v.object({ Sid: v.string(), Action: v.union([v.string(), v.array(v.string())]) });
const Template = v.object({
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
const { Resources } = v.parse(Template, readTemplate("entrance.yaml"));

test("the function is the bundle's, with settings that there are", () => {
  const { Handler, Code, Environment, Timeout, Runtime } = Resources.Function.Properties;
  const build = readFileSync(`${root}infra/build.ts`, "utf8");
  expect(build).toContain(`lambda: "${Code.split("/").at(-1)}/${Handler.split(".")[0]}.mjs"`);
  expect(readFileSync(`${root}functions/lambda.ts`, "utf8")).toMatch(/export async function handler\(/);
  expect(Runtime).toBe("nodejs24.x");
  const settings = ["config", "store-config"].map((name) => readFileSync(`${root}functions/${name}.ts`, "utf8")).join();
  for (const name of Object.keys(Environment.Variables)) expect(settings).toContain(`"${name}"`);
  // The schedule's event ticks until another one comes.
  expect(Resources.Schedule.Properties.ScheduleExpression).toBe("rate(1 minute)");
  expect(Timeout).toBeGreaterThanOrEqual(60 + 15);
  expect(Resources.Store.Properties.TemplateURL).toBe("table.yaml");
});

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
