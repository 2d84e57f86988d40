/** The settings of stores: what can't be used is told by its name, and no value that may be secret is. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { type Environment, readConfig } from "../../functions/config.ts";
import { openSharedStore } from "../../functions/shared-store.ts";
import { EntranceError } from "../../shared/model/error.ts";

const etcd = { ENTRANCE_STORE: "etcd", ENTRANCE_ETCD_ENDPOINTS: "http://127.0.0.1:2379" };
const dynamoDb = { ENTRANCE_STORE: "dynamodb" };

test("without settings the store is embedded, and others have their defaults", () => {
  expect(readConfig({}).store).toEqual({ type: "embedded" });
  expect(readConfig(etcd).store).toEqual({
    type: "etcd",
    endpoints: ["http://127.0.0.1:2379"],
    user: undefined,
    caFile: undefined,
    client: undefined,
    prefix: "entrance",
    compacts: true,
  });
  expect(readConfig(dynamoDb).store).toEqual({
    type: "dynamodb",
    table: "entrance",
    endpoint: undefined,
    region: undefined,
    credentials: undefined,
  });
});

test("secrets are read, and shown to nobody", () => {
  const secrets = {
    ENTRANCE_ETCD_USER: "entrance",
    ENTRANCE_ETCD_PASSWORD: "a-password-of-etcd",
    AWS_ACCESS_KEY_ID: "AKIA",
    AWS_SECRET_ACCESS_KEY: "a-key-of-aws",
    AWS_SESSION_TOKEN: "a-session-of-aws",
    AWS_REGION: "eu-central-1",
  };
  for (const settings of [etcd, dynamoDb]) {
    const { store } = readConfig({ ...secrets, ...settings });
    expect(inspect(store, { depth: 10 }) + JSON.stringify(store)).not.toMatch(/a-password|a-key|a-session/);
    if (store.type === "embedded") throw new Error("not shared");
    const found = store.type === "etcd" ? store.user?.password : store.credentials?.secret;
    expect(found?.reveal()).toMatch(/^a-(password-of-etcd|key-of-aws)$/);
  }
});

test("several endpoints, with spaces, a slash at the end and IPv6", () => {
  const listed = " http://10.0.0.1:2379/ , https://etcd.example:2379,http://[::1]:2379,";
  expect(readConfig({ ...etcd, ENTRANCE_ETCD_ENDPOINTS: listed }).store).toMatchObject({
    endpoints: ["http://10.0.0.1:2379", "https://etcd.example:2379", "http://[::1]:2379"],
  });
});

const secret = "hidden-hidden-hidden";
const faults: Record<string, [Environment, RegExp]> = {
  "an unknown store": [{ ENTRANCE_STORE: secret }, /^ENTRANCE_STORE must be embedded, etcd or dynamodb$/],
  "no endpoint": [{ ENTRANCE_STORE: "etcd" }, /^ENTRANCE_ETCD_ENDPOINTS is needed/],
  "ten endpoints": [{ ...etcd, ENTRANCE_ETCD_ENDPOINTS: "http://a,".repeat(10) }, /^ENTRANCE_ETCD_ENDPOINTS .* 1 to 9/],
  "no URL": [{ ...etcd, ENTRANCE_ETCD_ENDPOINTS: secret }, /^ENTRANCE_ETCD_ENDPOINTS has something that is no URL/],
  "a password in a URL": [{ ...etcd, ENTRANCE_ETCD_ENDPOINTS: `http://u:${secret}@a` }, /^ENTRANCE_ETCD_ENDPOINTS/],
  "a path": [{ ...etcd, ENTRANCE_ETCD_ENDPOINTS: "http://a:2379/v3" }, /^ENTRANCE_ETCD_ENDPOINTS/],
  "a user without a password": [{ ...etcd, ENTRANCE_ETCD_USER: secret }, /^ENTRANCE_ETCD_PASSWORD is needed/],
  "a password without a user": [{ ...etcd, ENTRANCE_ETCD_PASSWORD: secret }, /^ENTRANCE_ETCD_USER is needed/],
  "a certificate without a key": [{ ...etcd, ENTRANCE_ETCD_CERT: "a" }, /^ENTRANCE_ETCD_KEY is needed/],
  "a key without a certificate": [{ ...etcd, ENTRANCE_ETCD_KEY: "a" }, /^ENTRANCE_ETCD_CERT is needed/],
  "a prefix with a space": [{ ...etcd, ENTRANCE_ETCD_PREFIX: `a ${secret}` }, /^ENTRANCE_ETCD_PREFIX must have/],
  "a table's ARN": [{ ...dynamoDb, ENTRANCE_DYNAMODB_TABLE: `arn:aws:${secret}` }, /^ENTRANCE_DYNAMODB_TABLE must be/],
  "an endpoint that is a host": [
    { ...dynamoDb, ENTRANCE_DYNAMODB_ENDPOINT: secret },
    /^ENTRANCE_DYNAMODB_ENDPOINT has/,
  ],
};

test.each(Object.entries(faults))("%s is told", (_, [settings, says]) => {
  const error = thrownBy(() => readConfig(settings));
  expect(error).toMatchObject({ code: "misconfigured", message: expect.stringMatching(says) });
  expect(error.message).not.toContain(secret);
});

test("a file that is not there, or is no PEM, is told before anything is sent", async () => {
  const open = async (settings: Environment) => {
    const { store } = readConfig({ ...etcd, ...settings });
    if (store.type === "embedded") throw new Error("not shared");
    return openSharedStore(store);
  };
  await expect(open({ ENTRANCE_ETCD_CA: "/nowhere.pem" })).rejects.toThrow(
    /^ENTRANCE_ETCD_CA names \/nowhere.pem, which is not there/,
  );
  await expect(open({ ENTRANCE_ETCD_CA: import.meta.filename })).rejects.toThrow(/^ENTRANCE_ETCD_CA names/);
});

function thrownBy(work: () => unknown): EntranceError {
  try {
    work();
  } catch (error) {
    if (error instanceof EntranceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
