/** What only DynamoDB says: throttling, transactions that meet, tables and roles that are not there. */
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import type { Store } from "../../shared/store/port.ts";
import { DynamoDBLocal } from "../harness/dynamodb.ts";
import { HttpProxy, type Reply } from "../harness/http-proxy.ts";
import { put, walk } from "./conformance.ts";

const credentials = { id: "local", secret: new SecretText("local-secret"), session: undefined };
const open = (endpoint: string, table = "entrance") => openDynamoDB({ table, endpoint, region: "local", credentials });

let server: DynamoDBLocal;
let proxy: HttpProxy;
let store: Store;
beforeAll(async () => {
  server = await DynamoDBLocal.start();
  await server.createTable("entrance");
  proxy = await HttpProxy.start(server.port);
  store = open(proxy.url);
});
afterAll(async () => {
  await store.close();
  await Promise.all([proxy.stop(), server.stop()]);
});
beforeEach(() => {
  proxy.reply = () => undefined;
  proxy.seen = [];
});

let partitions = 0;
const partition = () => `p${++partitions}`;

function fault(type: string, message = "", more: object = {}, status = 400): Reply {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message, ...more } };
}

/** Each kind of call that the store makes. */
async function calls(name: string): Promise<Record<string, () => Promise<unknown>>> {
  const key = { partition: name, sort: "a" };
  const version = await put(store, name, { a: "1", b: "1" });
  return {
    get: () => store.get(key),
    list: () => store.list(name, undefined, 10),
    put: () => store.commit([{ key, version }], [{ key, value: "2" }]),
    transaction: () => put(store, name, { a: "3", c: null }),
  };
}

const passing: Record<string, Reply> = {
  ProvisionedThroughputExceededException: fault("ProvisionedThroughputExceededException", "slow down"),
  ThrottlingException: fault("ThrottlingException", "slow down"),
  RequestLimitExceeded: fault("RequestLimitExceeded", "slow down"),
  "a fault of the server": fault("InternalServerError", "oops", {}, 500),
  "a fault without any text": { status: 503, body: "" },
  "a signature that the server's clock finds too old": {
    ...fault("InvalidSignatureException", "Signature expired: 20200101T000000Z is now earlier than 20260101T000000Z"),
    headers: { date: new Date(Date.now() + 3_600_000).toUTCString() },
  },
};

describe.each(Object.entries(passing))("%s", (_, reply) => {
  test("three times, and every call does what it should", async () => {
    for (const [name, call] of Object.entries(await calls(partition()))) {
      proxy.replyTimes(3, reply);
      const before = proxy.seen.length;
      await call();
      expect(proxy.seen.length - before, name).toBe(4);
    }
  });
});

test("throttled all the time is busy, with a time to come again; nothing was written", async () => {
  const name = partition();
  const all = await calls(name);
  proxy.reply = () => fault("ThrottlingException", "slow down");
  await Promise.all(
    Object.values(all).map((call) => expect(call()).rejects.toMatchObject({ code: "busy", retryAfterSeconds: 5 })),
  );
  // With pauses in between: some attempts each, not thousands.
  expect(proxy.seen.length).toBeLessThan(4 * 200);
  proxy.reply = () => undefined;
  expect(await walk(store, name)).toEqual([
    ["a", "1"],
    ["b", "1"],
  ]);
});

test("a server that fails all the time: reads are unavailable, commits uncertain", async () => {
  const { get, list, put: single, transaction } = await calls(partition());
  proxy.reply = () => fault("InternalServerError", "oops", {}, 500);
  await Promise.all([
    ...[get, list].map((call) => expect(call?.()).rejects.toMatchObject({ code: "unavailable" })),
    ...[single, transaction].map((call) => expect(call?.()).rejects.toMatchObject({ code: "uncertain" })),
  ]);
});

describe("a transaction", () => {
  const canceled = (...codes: string[]) =>
    fault("TransactionCanceledException", "canceled", { CancellationReasons: codes.map((Code) => ({ Code })) });

  test.each([
    ["meets another one", canceled("TransactionConflict", "None")],
    ["is throttled at one item", canceled("None", "ThrottlingError")],
    // Only a part of the conditions was looked at.
    ["meets another one, and a condition does not hold", canceled("TransactionConflict", "ConditionalCheckFailed")],
    ["is still under way", fault("TransactionInProgressException", "in progress")],
  ])("that %s is sent again, with the same token", async (_, reply) => {
    const name = partition();
    proxy.replyTimes(2, reply);
    await put(store, name, { a: "1", b: "2" });
    const tokens = proxy.seen.map(
      ({ body }) => (JSON.parse(body) as { ClientRequestToken: string }).ClientRequestToken,
    );
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
    expect(await walk(store, name)).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("that meets others all the time is busy", async () => {
    proxy.reply = () => canceled("TransactionConflict", "None");
    await expect(put(store, partition(), { a: "1", b: "2" })).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/others write the same items/),
    });
  });
});

test("one put of a known version is no transaction, and a check alone is a read", async () => {
  const { put: single } = await calls(partition());
  proxy.seen = [];
  await single?.();
  await store.commit([{ key: { partition: "nowhere", sort: "a" }, version: null }], []);
  expect(proxy.seen.map(({ target }) => target.split(".")[1])).toEqual(["PutItem", "GetItem"]);
});

test("a table or a right that is missing, and bad credentials, are said at once, without the key", async () => {
  const cases: [string, RegExp][] = [
    ["AccessDeniedException", /lacks a permission on ENTRANCE_DYNAMODB_TABLE/],
    ["UnrecognizedClientException", /does not know these credentials/],
    ["ExpiredTokenException", /have expired/],
    ["ResourceNotFoundException", /ENTRANCE_DYNAMODB_TABLE names no table/],
  ];
  for (const [type, says] of cases) {
    proxy.reply = () => fault(type, "no");
    const error = { code: "misconfigured", message: expect.stringMatching(says) };
    await expect(store.get({ partition: "p", sort: "a" })).rejects.toMatchObject(error);
    await expect(put(store, "p", { a: "1" })).rejects.toMatchObject(error);
  }
  const other = open(server.endpoint, "not-there");
  await expect(put(other, "p", { a: "1" })).rejects.toThrow(/ENTRANCE_DYNAMODB_TABLE names no table/);
  await other.close();
});

test("an item of a later format is not guessed at", async () => {
  const name = partition();
  const item = { p: { S: name }, s: { S: "a" }, v: { S: "?" }, w: { S: "1" }, f: { N: "2" } };
  await server.client.send(new PutItemCommand({ TableName: "entrance", Item: item }));
  const error = { code: "misconfigured", message: expect.stringMatching(/format 2.*run the newer Entrance/) };
  await expect(store.get({ partition: name, sort: "a" })).rejects.toMatchObject(error);
  await expect(store.list(name, undefined, 10)).rejects.toMatchObject(error);
});

test("a server that stands still is unavailable, and used again when it goes on", async () => {
  const name = partition();
  const direct = open(server.endpoint);
  const version = await put(direct, name, { a: "1" });
  server.signal("SIGSTOP");
  await expect(direct.get({ partition: name, sort: "a" })).rejects.toMatchObject({ code: "unavailable" });
  server.signal("SIGCONT");
  expect(await direct.get({ partition: name, sort: "a" })).toMatchObject({ value: "1", version });
  await direct.close();
});

test("a server that is gone is unavailable, for reads and commits", async () => {
  const [gone, key] = [open("http://127.0.0.1:9"), { partition: "p", sort: "a" }];
  await Promise.all([
    expect(gone.get(key)).rejects.toMatchObject({ code: "unavailable" }),
    expect(put(gone, "p", { a: "1" })).rejects.toMatchObject({ code: "unavailable" }),
  ]);
  await gone.close();
});
