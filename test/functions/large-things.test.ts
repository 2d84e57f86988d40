/** As large as Kubernetes lets things be, on every store and to real nodes: served, or refused with a sentence. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Assembled, assemble } from "../../functions/assemble.ts";
import { readConfig } from "../../functions/config.ts";
import { ProcessCounters } from "../../functions/counters.ts";
import { NodeHost } from "../../functions/node-host.ts";
import { readStatus } from "../../functions/status.ts";
import type { Store } from "../../shared/store/port.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { type StoreName, type Stores, startStores, storeNames } from "../harness/every-store.ts";
import { requestTls } from "../harness/https.ts";
import { KEY, startNode, type TestNode } from "../harness/node.ts";
import { sealKey } from "../harness/secrets.ts";
import { event, eventList, ingress, type Json, path, review, secret, service, slice } from "../observe/wire.ts";

const timeoutMs = 300_000;
/** Labels of a name have 63 characters at most, and all of it 253. */
const label = "n".repeat(61);
const longName = `${label}.${label}.${label}.${label}.12345`;

let stores: Stores;
let backend: Backend;
beforeAll(async () => {
  [stores, backend] = await Promise.all([startStores(), startBackend("large", 0, "0.0.0.0")]);
}, timeoutMs);
afterAll(async () => {
  await Promise.all([stores[Symbol.asyncDispose](), backend.close()]);
});

class Place {
  readonly nodes: [TestNode, TestNode];
  readonly #store: Store;
  readonly #host = new NodeHost();
  readonly #assembled: Assembled;
  readonly #config: ReturnType<typeof readConfig>;
  #version = 1_000;

  static async open(name: StoreName): Promise<Place> {
    const { environment, open } = await stores.place(name);
    return new Place(environment, await open(), [
      await startNode({ memoryMiB: 128 }),
      await startNode({ memoryMiB: 128 }),
    ]);
  }

  private constructor(environment: Readonly<Record<string, string>>, store: Store, nodes: [TestNode, TestNode]) {
    this.nodes = nodes;
    this.#store = store;
    const urls = nodes.map(({ ports }) => `http://127.0.0.1:${ports.admin}`);
    this.#config = readConfig({
      ...environment,
      ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes: urls }]),
      ENTRANCE_NODE_KEY: KEY,
      ENTRANCE_SEAL_KEY: sealKey,
    });
    this.#assembled = assemble(this.#config, store, this.#host);
  }

  async audit(kind: string, object: (metadata: Json) => Json, name: string, more: Json = {}): Promise<Json> {
    const wire = object({ ...this.#metadata(kind, name), ...more });
    return this.#post("/audit", eventList(event("update", kind, wire, {}, { name })));
  }

  async review(kind: string, object: (metadata: Json) => Json, name: string): Promise<Json> {
    const wire = object(this.#metadata(kind, name));
    return this.#post("/admission", review("CREATE", kind, { name, object: wire }));
  }

  /** Both nodes have what the store says, and nothing is left to be done. */
  async settled() {
    for (;;) {
      await this.#host.settled();
      const { entrance } = this.#assembled;
      const door = { entrance, config: this.#config, counters: new ProcessCounters() };
      const status = await readStatus(door, undefined, { domains: 1_000, certificates: 1_000 });
      const head = status.balancers[0]?.head;
      const states = await Promise.all(this.nodes.map((node) => node.state()));
      const areEqual = states.every((state) => state.revision === head?.revision && state.digest === head.digest);
      if (areEqual && status.marks.due === 0) return { status, states };
      await sleep(100);
      await this.#assembled.tick();
    }
  }

  async close(): Promise<void> {
    await this.#host.settled();
    await this.#store.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  #metadata(kind: string, name: string): Json {
    this.#version += 1;
    const creationTimestamp = "2026-11-22T10:00:00Z";
    return {
      name,
      namespace: "shop",
      uid: `uid-${kind}-${name}`.slice(0, 100),
      resourceVersion: String(this.#version),
      creationTimestamp,
    };
  }

  async #post(at: string, body: Json): Promise<Json> {
    const answer = await this.#assembled.app.request(at, { method: "POST", body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Json;
  }
}

/** So many members on this machine, from the `first` on. */
function members(first: number, count: number): Json[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return {
      addresses: [`127.1.${Math.floor(number / 200)}.${(number % 200) + 1}`],
      conditions: { ready: true, serving: true, terminating: false },
    };
  });
}

const sliceOf = (of: string, endpoints: readonly Json[]) => (metadata: Json) =>
  slice({
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": of } },
    endpoints,
    ports: [{ name: "http", port: backend.port, protocol: "TCP" }],
  });

const routeTo =
  (host: string, to: string, paths: readonly string[], spec: Json = {}) =>
  (metadata: Json) => {
    const backendOf = { service: { name: to, port: { number: 80 } } };
    const all = paths.map((each) => ({ ...path(each), backend: backendOf }));
    return ingress({ rules: [{ host, http: { paths: all } }], ...spec }, metadata);
  };

describe.each(storeNames)("on %s", (name) => {
  let at: Place;
  beforeAll(async () => {
    at = await Place.open(name);
    await at.audit("Service", (metadata) => service(metadata), "web");
    await at.audit("EndpointSlice", sliceOf("web", members(0, 1)), "web-a");
  }, timeoutMs);
  afterAll(() => at.close());

  test.each([
    [50, 100],
    [5, 1_000],
  ])(
    "a Service with 5,000 endpoints in %i slices of %i",
    async (slices, each) => {
      const of = `many-${slices}`;
      await at.audit("Service", (metadata) => service(metadata), of);
      await at.audit("Ingress", routeTo(`${of}.example`, of, ["/"]), of);
      for (let number = 0; number < slices; number += 1) {
        await at.audit("EndpointSlice", sliceOf(of, members(number * each, each)), `${of}-${number}`);
      }
      await at.settled();
      for (const node of at.nodes) {
        let found = 0;
        for (let number = 0; number < slices; number += 1) {
          const { text } = await node.admin(`/v2/resources/Node/shop/${of}/80/${of}-${number}`);
          found += (JSON.parse(text) as { value: { members: unknown[] } }).value.members.length;
        }
        expect(found).toBe(5_000);
        expect((await node.get(`${of}.example`)).status).toBe(200);
      }
    },
    timeoutMs,
  );

  test(
    "a certificate with a chain of 100 KiB",
    async () => {
      const { chain, key } = makeCertificate(["large.example"]);
      const names = Array.from({ length: 250 }, (_, index) => `a-rather-long-name-${index}.intermediate.example`);
      const other = makeCertificate(names).chain;
      let whole = chain;
      while (whole.length < 100 * 1_024) whole += other;
      const tls = secret("kubernetes.io/tls", { "tls.crt": whole, "tls.key": key });
      const answer = await at.review("Secret", (metadata) => ({ ...tls, metadata }), "large-tls");
      expect(answer).toMatchObject({ response: { allowed: true } });
      const spec = { tls: [{ hosts: ["large.example"], secretName: "large-tls" }] };
      await at.audit("Ingress", routeTo("large.example", "web", ["/"], spec), "large-tls");
      await at.settled();
      for (const node of at.nodes) expect((await requestTls(node.ports.https, "large.example")).status).toBe(200);
    },
    timeoutMs,
  );

  test(
    "an Ingress with 1,000 paths, each with settings of some kilobytes: a want of megabytes",
    async () => {
      const paths = Array.from({ length: 1_000 }, (_, index) => `/${"p".repeat(60)}/${index}`);
      const annotations = {
        "entrance.dev/response-headers": Array.from(
          { length: 10 },
          (_, index) => `X-${index}: ${"v".repeat(300)}`,
        ).join("\n"),
      };
      const large = routeTo("paths.example", "web", paths);
      await at.audit("Ingress", (metadata) => large({ ...metadata, annotations }), "paths");
      const { states } = await at.settled();
      expect(states[0]?.counts["Rule"]).toBeGreaterThan(1_000);
      for (const node of at.nodes) expect((await node.get("paths.example", paths[999])).status).toBe(200);
      await at.audit("Ingress", large, "paths", { annotations: {} });
      await at.settled();
    },
    timeoutMs,
  );

  test("a Secret of nearly 1 MiB is refused with a sentence", async () => {
    const tls = secret("kubernetes.io/tls", { "tls.crt": "A".repeat(700_000), "tls.key": "B".repeat(300_000) });
    const { response } = await at.review("Secret", (metadata) => ({ ...tls, metadata }), "huge-tls");
    expect(response).toMatchObject({
      allowed: false,
      status: { code: 422, message: expect.stringMatching(/must have at most/) },
    });
  });

  test(
    "an object of 1.5 MB is told where it can't be used, and harms nothing",
    async () => {
      const annotations = { "entrance.dev/response-headers": `X-Large: ${"v".repeat(1_400_000)}` };
      const huge = routeTo("huge.example", "web", ["/"]);
      const answer = await at.review("Ingress", (metadata) => huge({ ...metadata, annotations }), "huge");
      expect(answer).toMatchObject({ response: { allowed: false } });
      await at.audit("Ingress", huge, "huge", { annotations });
      const { status } = await at.settled();
      expect(status.refused.find(({ object }) => object === "Ingress/shop/huge")?.reasons).toHaveLength(1);
      expect((await at.nodes[0].get("large.example")).status).toBeLessThan(500);
    },
    timeoutMs,
  );

  test(
    "names of 253 characters, and annotations of letters that have three bytes",
    async () => {
      expect(longName).toHaveLength(253);
      const annotations = { "shop.example/说明": "网".repeat(80_000), "entrance.dev/response-headers": "X-A: b" };
      const long = routeTo("long.example", "web", ["/"]);
      await at.audit("Ingress", (metadata) => long({ ...metadata, annotations }), longName);
      await at.settled();
      for (const node of at.nodes) expect((await node.get("long.example")).status).toBe(200);
    },
    timeoutMs,
  );

  test(
    "all of it as one snapshot, to a node that has lost everything",
    async () => {
      const [node] = at.nodes;
      await node.kill9();
      rmSync(`${node.directory}/state`, { recursive: true, force: true });
      await node.start();
      await at.settled();
      expect((await node.get("many-50.example")).status).toBe(200);
      expect((await requestTls(node.ports.https, "large.example")).status).toBe(200);
    },
    timeoutMs,
  );
});
