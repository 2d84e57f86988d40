/** The doors where the store is shared: both hosts on etcd and on DynamoDB. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../harness/certificate.ts";
import { DynamoDBLocal, localKeys } from "../harness/dynamodb.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { startProcessHost } from "../harness/process-host.ts";
import { review, secret } from "../observe/wire.ts";
import { at } from "../store/conformance.ts";
import { Caller } from "./caller.ts";
import { runDoorCases } from "./cases.ts";

const sealKey = "a-seal-key-of-the-tests";
let etcd: EtcdCluster;
let dynamoDb: DynamoDBLocal;
beforeAll(async () => {
  [etcd, dynamoDb] = await Promise.all([startEtcd(), DynamoDBLocal.start()]);
});
afterAll(async () => {
  await Promise.all([etcd.stop(), dynamoDb.stop()]);
});

interface SharedStore {
  readonly environment: Readonly<Record<string, string>>;
  readonly stored: () => Promise<string>;
}

/** Each host begins with an empty store. */
const stores: Record<string, () => Promise<SharedStore>> = {
  etcd: async () => ({
    environment: {
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: etcd.urls.join(","),
      ENTRANCE_ETCD_PREFIX: randomUUID(),
    },
    stored: async () => etcd.stored(),
  }),
  DynamoDB: async () => {
    const table = randomUUID();
    await dynamoDb.createTable(table);
    return {
      environment: {
        ENTRANCE_STORE: "dynamodb",
        ENTRANCE_DYNAMODB_TABLE: table,
        ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
        ...localKeys,
      },
      stored: () => dynamoDb.stored(table),
    };
  },
};

for (const [name, open] of Object.entries(stores)) {
  runDoorCases({
    name: `the Node host on ${name}`,
    start: async (environment) => {
      const store = await open();
      const host = await startProcessHost("node", { ...environment, ...store.environment });
      return { ...host, stored: store.stored };
    },
  });

  test(`workerd and Node on ${name}: what one began the other goes on with when the first is killed`, async () => {
    const { environment, stored } = await open();
    const first = await startProcessHost("workerd", { ...environment, ENTRANCE_SEAL_KEY: sealKey });
    const nodes = [`http://127.0.0.1:${first.node.ports.admin}`];
    const settings = { ...environment, ENTRANCE_SEAL_KEY: sealKey };
    const second = await EntranceProcess.start({ platform: "node", nodes, environment: settings });
    try {
      const { chain, key } = makeCertificate(["tls.example"]);
      const object = secret("kubernetes.io/tls", { "tls.crt": chain, "tls.key": key }, { name: "tls", uid: "uid-tls" });
      const callers = [first, second].map(
        (host) => new Caller({ ...first, fetch: (path, init) => host.fetch(path, init) }),
      );
      const [one, two] = [at(callers, 0), at(callers, 1)];
      const reviewed = review("CREATE", "Secret", { name: "tls", object });
      expect(await (await one.post("/admission", reviewed)).json()).toMatchObject({ response: { allowed: true } });
      await one.expectToWork("by-the-first");
      await two.expectToWork("by-the-second");
      // In the middle of its work, which is marked by then.
      const { audited } = one.asking("left-behind", { "entrance.dev/http": "left-behind.example" });
      expect(await (await one.post("/audit", audited)).json()).toMatchObject({ changed: 1 });
      await first.entrance.kill9();
      const names = async () => (await two.settled()).domains.map((domain) => domain.name);
      await expect.poll(names, { timeout: 30_000 }).toContain("left-behind.example");
      for (const host of ["by-the-first", "by-the-second", "left-behind"]) {
        expect((await first.node.get(`${host}.example`)).status).toBe(503);
      }
      const raw = await stored();
      expect(raw).toContain("by-the-first");
      expect(raw).not.toContain(key.split("\n")[1]);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
}
