/** DynamoDB as a store, on AWS's own DynamoDB Local. */
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll } from "vitest";
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import { DynamoDBLocal } from "../harness/dynamodb.ts";
import { startStoreWorker } from "../harness/store-worker.ts";
import { runStoreConformance } from "./conformance.ts";
import { runLosses } from "./losses.ts";
import { remoteStore, setRemoteClockOff } from "./remote-store.ts";

const credentials = { id: "local", secret: new SecretText("local"), session: undefined };
const open = (port: number) =>
  openDynamoDB({ table: "entrance", endpoint: `http://127.0.0.1:${port}`, region: "local", credentials });

let server: DynamoDBLocal;
let workerd: Miniflare;
let worker: URL;
beforeAll(async () => {
  server = await DynamoDBLocal.start();
  await server.createTable("entrance");
  workerd = await startStoreWorker("dynamodb.worker.ts", {});
  worker = await workerd.ready;
});
afterAll(async () => {
  await workerd.dispose();
  await server.stop();
});

const port = () => server.port;
const openRemote = (at: number) => remoteStore(worker, at);

runStoreConformance({ name: "DynamoDB", open: async () => open(port()), isFar: true });
runStoreConformance({
  name: "DynamoDB, in workerd",
  open: async () => openRemote(port()),
  setClockOff: (ms) => setRemoteClockOff(worker, ms),
  isFar: true,
});
runLosses({ name: "DynamoDB", port, open, mayBeUncertain: [] });
runLosses({ name: "DynamoDB, in workerd", port, open: openRemote, mayBeUncertain: [] });
