/**
 * From one store to another and on, with real nodes under traffic: no request fails, and what changes on the way is not
 * lost, as whoever was refused tells it again.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Status } from "../../functions/status.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { DynamoDBLocal, localKeys } from "../harness/dynamodb.ts";
import { EntranceProcess, type Platform } from "../harness/entrance-process.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { event, eventList, type Json, service, slice } from "../observe/wire.ts";
import { done } from "./command.ts";

const settings = { ENTRANCE_SEAL_KEY: "a-seal-key-of-the-tests" };
const directory = mkdtempSync(join(tmpdir(), "entrance-move-"));
let etcd: EtcdCluster;
let dynamoDb: DynamoDBLocal;
let backend: Backend;
let nodes: TestNode[];

beforeAll(async () => {
  [etcd, dynamoDb, backend, ...nodes] = await Promise.all([
    startEtcd(),
    DynamoDBLocal.start(),
    startBackend("shop"),
    startNode(),
    startNode(),
  ]);
});
afterAll(async () => {
  await Promise.all([etcd.stop(), dynamoDb.stop(), backend.close(), ...nodes.map((node) => node.stop())]);
  rmSync(directory, { recursive: true, force: true });
});

/** Tells what the cluster does to whoever is Entrance now, until it is taken: as an apiserver's audit backend does. */
class Cluster {
  entrance: EntranceProcess | undefined;
  refused = 0;
  #version = 1_000;

  async tell(kind: string, name: string, wire: (version: string) => Json): Promise<void> {
    this.#version += 1;
    const object = wire(String(this.#version));
    const body = JSON.stringify(
      eventList(event("create", kind, object, { auditID: `audit-${this.#version}` }, { name })),
    );
    for (;;) {
      const headers = { "content-type": "application/json" };
      const answer = await this.entrance?.fetch("/audit", { method: "POST", headers, body }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return;
      if (answer !== undefined) {
        expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      }
      this.refused += 1;
      await sleep(100);
    }
  }

  async route(name: string): Promise<void> {
    const annotations = { "entrance.dev/http": `${name}.example` };
    await this.tell("Service", name, (version) =>
      service({ name, uid: `uid-${name}`, resourceVersion: version, annotations }),
    );
    await this.tell("EndpointSlice", `${name}-a`, (version) =>
      slice({
        metadata: {
          name: `${name}-a`,
          namespace: "shop",
          uid: `uid-${name}-a`,
          resourceVersion: version,
          creationTimestamp: "2026-11-22T10:00:00Z",
          labels: { "kubernetes.io/service-name": name },
        },
        endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
        ports: [{ name: "http", port: backend.port, protocol: "TCP" }],
      }),
    );
  }
}

/** Requests through all nodes, one after the other, until it is stopped. */
class Traffic {
  readonly failures: string[] = [];
  requests = 0;
  readonly #hosts: readonly string[];
  #isOver = false;
  readonly #running: Promise<unknown>;

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
    this.#running = Promise.all(nodes.map((node) => this.#run(node)));
  }

  async #run(node: TestNode): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      const host = this.#hosts[turn % this.#hosts.length] ?? "";
      const { status } = await node.get(host).catch((error: unknown) => ({ status: String(error) }));
      this.requests += 1;
      if (status !== 200) this.failures.push(`${host}: ${status}`);
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }
}

async function start(platform: Platform, environment: Readonly<Record<string, string>>, own: string) {
  return EntranceProcess.start({
    platform,
    nodes: nodes.map(({ ports }) => `http://127.0.0.1:${ports.admin}`),
    environment: { ...settings, ...environment },
    directory: mkdtempSync(join(directory, own)),
  });
}

async function atHead(entrance: EntranceProcess): Promise<Status["balancers"][number]> {
  let found: Status["balancers"][number] | undefined;
  const isAtHead = async () => {
    const { marks, balancers } = await entrance.status();
    [found] = balancers;
    return marks.due === 0 && found?.nodes.every(({ lag, error }) => lag === 0 && error === undefined) === true;
  };
  await expect.poll(isAtHead, { timeout: 30_000, interval: 100 }).toBe(true);
  if (found === undefined) throw new Error("no balancer");
  return found;
}

test("embedded, etcd, DynamoDB, and back into a Durable Object: no failed request, nothing lost", {
  timeout: 240_000,
}, async () => {
  const table = randomUUID();
  await dynamoDb.createTable(table);
  const places: { platform: Platform; name: string; environment: Record<string, string> }[] = [
    {
      platform: "node",
      name: "etcd",
      environment: {
        ENTRANCE_STORE: "etcd",
        ENTRANCE_ETCD_ENDPOINTS: etcd.urls.join(","),
        ENTRANCE_ETCD_PREFIX: randomUUID(),
      },
    },
    {
      platform: "workerd",
      name: "dynamodb",
      environment: {
        ENTRANCE_STORE: "dynamodb",
        ENTRANCE_DYNAMODB_TABLE: table,
        ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
        ...localKeys,
      },
    },
    { platform: "workerd", name: "embedded", environment: {} },
  ];
  const cluster = new Cluster();
  let entrance = await start("node", {}, "first-");
  const all = [entrance];
  let environment: Record<string, string> = {};
  try {
    cluster.entrance = entrance;
    for (const name of ["one", "two"]) await cluster.route(name);
    await atHead(entrance);
    const traffic = new Traffic(["one.example", "two.example"]);
    for (const place of places) {
      const file = join(directory, `to-${place.name}.package`);
      const told: Promise<void>[] = [];
      const before = (await entrance.status()).balancers[0]?.head;
      told.push(cluster.route(`before-${place.name}`));
      const way = environment["ENTRANCE_STORE"] === undefined ? ["--at", entrance.url] : [];
      await done(environment, "export", file, "--close", ...way);
      told.push(cluster.route(`meanwhile-${place.name}`));
      const left = entrance;
      const leftRefused = cluster.refused;
      if (place.platform === "workerd" && place.environment["ENTRANCE_STORE"] === undefined) {
        // Its store is where it runs: it is there first, empty, and drives nobody.
        entrance = await start(place.platform, place.environment, "next-");
        await done({}, "import", file, "--at", entrance.url);
      } else {
        await done(place.environment, "import", file);
        entrance = await start(place.platform, place.environment, "next-");
      }
      all.push(entrance);
      environment = place.environment;
      // The one that was left runs on for a while, as in a rollout: it drives nobody, and says why.
      expect(await (await left.fetch("/readyz")).text()).toContain("closed");
      cluster.entrance = entrance;
      await Promise.all(told);
      const after = await atHead(entrance);
      expect(after.head).toMatchObject({ store: before?.store, complete: true });
      expect(after.head?.epoch).toBeGreaterThan(before?.epoch ?? 0);
      expect(cluster.refused).toBeGreaterThanOrEqual(leftRefused);
      const tick = await left.fetch("/resync", { method: "POST" });
      expect(tick.status).toBe(503);
      await left.halt();
      for (const node of nodes) {
        for (const host of [`before-${place.name}`, `meanwhile-${place.name}`]) {
          expect((await node.get(`${host}.example`)).status, `${host} after the move`).toBe(200);
        }
      }
    }
    const { head } = await atHead(entrance);
    for (const node of nodes) {
      const state = await node.state();
      expect(state).toMatchObject({
        store: head?.store,
        epoch: head?.epoch,
        revision: head?.revision,
        digest: head?.digest,
      });
    }
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(traffic.requests).toBeGreaterThan(300);
    expect(cluster.refused).toBeGreaterThan(0);
  } finally {
    await Promise.all(all.map((each) => each.stop()));
  }
});
