/** Entrance in this process, on a place in a store whose operations are counted, before a real node. */
import { setTimeout as sleep } from "node:timers/promises";
import { assemble } from "../../../functions/assemble.ts";
import { readConfig } from "../../../functions/config.ts";
import { NodeHost } from "../../../functions/node-host.ts";
import { EntranceError } from "../../../shared/model/error.ts";
import { writeAll } from "../../../shared/operate/batch.ts";
import { carried } from "../../../shared/operate/carried.ts";
import { headKey, rulesKey, tickKey } from "../../../shared/reconcile/keys.ts";
import type { Store, Write } from "../../../shared/store/port.ts";
import { countedStore, type Operation } from "../../harness/counted-store.ts";
import type { Place } from "../../harness/every-store.ts";
import { KEY, startNode, type TestNode } from "../../harness/node.ts";
import { sealKey } from "../../harness/secrets.ts";
import { Connection } from "../connection.ts";
import { auditBodies, ingressOf, objectsOf, otherHostOf } from "./routes.ts";

const servedWithinMs = 30_000;
const tickMs = 5_000;
/** Of what a store across a network may not have taken. */
const maxRetries = 20;
/** nginx closes a connection after 10,000 requests. */
const requestsPerConnection = 5_000;

export class Site {
  readonly node: TestNode;
  readonly store: Store;
  readonly operations: Operation[];
  readonly #app: ReturnType<typeof assemble>["app"];
  readonly #entrance: ReturnType<typeof assemble>["entrance"];
  readonly #tick: () => Promise<void>;
  readonly #host: NodeHost;
  #client: Connection;
  #asked = 0;
  #version: number;
  /** Requests that could change the node. */
  #sent = 0;

  static async start(place: Place, memoryMiB: number, firstVersion = 1): Promise<Site> {
    const node = await startNode({ memoryMiB });
    try {
      return new Site(place, node, await place.open(), await Connection.open(node.ports.http), firstVersion);
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  private constructor(place: Place, node: TestNode, opened: Store, client: Connection, firstVersion: number) {
    const { store, operations } = countedStore(opened);
    const nodes = [`http://127.0.0.1:${node.ports.admin}`];
    const config = readConfig({
      ...place.environment,
      ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes }]),
      ENTRANCE_NODE_KEY: KEY,
      ENTRANCE_SEAL_KEY: sealKey,
    });
    this.#host = new NodeHost();
    const fetchOf = () => (url: string | URL | Request, init?: RequestInit) => {
      if (init?.method !== "GET") this.#sent += 1;
      return fetch(url, init);
    };
    const { app, entrance, tick } = assemble(config, store, this.#host, { fetchOf });
    this.node = node;
    this.store = store;
    this.operations = operations;
    this.#app = app;
    this.#entrance = entrance;
    this.#tick = tick;
    this.#client = client;
    this.#version = firstVersion;
  }

  /** So many routes, by the doors. */
  async fill(routes: number, port: number, say: (line: string) => void): Promise<void> {
    let told = 0;
    const bodies = auditBodies(objectsOf(0, routes, port), () => this.#next());
    for (const [index, body] of bodies.entries()) {
      await this.#audit(body);
      await this.#host.settled();
      if (index / bodies.length >= told + 0.25) {
        told += 0.25;
        say(`${Math.round(told * 100)} % of ${routes} routes`);
      }
      this.operations.length = 0;
    }
  }

  /** The node has what the store says, whatever it had. */
  async bringUp(): Promise<void> {
    await this.#tick();
    await this.#host.settled();
    this.operations.length = 0;
  }

  /** Requests that could change the node, of a timer's work that asks it for its digest. */
  async repair(): Promise<number> {
    await this.store.commit([], [{ key: tickKey("digest"), value: null }]);
    const before = this.#sent;
    await this.bringUp();
    return this.#sent - before;
  }

  /** Ms from the door until a request is answered by the change: a route gets another host, or loses it again. */
  async change(route: number, turn: number): Promise<{ readonly ms: number; readonly operations: number }> {
    const withOther = turn % 2 === 1;
    const [body = ""] = auditBodies([ingressOf(route, withOther)], () => this.#next());
    const host = otherHostOf(route);
    this.operations.length = 0;
    const begun = performance.now();
    await this.#audit(body);
    let tickAt = begun + tickMs;
    while (((await this.#get(host)).status === 200) !== withOther) {
      if (performance.now() - begun > servedWithinMs) throw new Error(this.#unserved(route));
      if (performance.now() < tickAt) continue;
      // Nothing wakes this host: a push that failed is tried again here.
      await this.#tick();
      tickAt = performance.now() + tickMs;
    }
    const ms = performance.now() - begun;
    await this.#host.settled();
    return { ms, operations: this.operations.length };
  }

  async stop(): Promise<void> {
    await this.#host.settled();
    this.#client.close();
    await this.store.close();
    await this.node.stop();
  }

  #unserved(route: number): string {
    const [balancer] = this.#entrance.context.balancers;
    const [node] = balancer?.nodes ?? [];
    const known = balancer && node ? this.#entrance.pusher.memory(balancer, node) : undefined;
    return `a change of route ${route} is not served: ${known?.error ?? "the node answers"}, ${known?.revision}`;
  }

  async #audit(body: string): Promise<void> {
    let answer = await this.#app.request("/audit", { method: "POST", body });
    // As a kube-apiserver does.
    for (let again = 0; answer.status === 503 && again < maxRetries; again += 1) {
      await sleep(1_000 * Number(answer.headers.get("retry-after") ?? 1));
      answer = await this.#app.request("/audit", { method: "POST", body });
    }
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('"unusable":0')) throw new Error(`${answer.status} ${text}`);
  }

  async #get(host: string) {
    this.#asked += 1;
    if (this.#asked % requestsPerConnection === 0) {
      this.#client.close();
      this.#client = await Connection.open(this.node.ports.http);
    }
    return this.#client.get(host);
  }

  #next(): number {
    this.#version += 1;
    return this.#version;
  }
}

/**
 * What the doors have written in one store, in another one: all but the logs, which nobody asks for who begins with a
 * snapshot (shared/operate/carried.ts), and with the very head.
 */
export async function copied(from: Store, to: Store, say: (line: string) => void): Promise<void> {
  let written = 0;
  async function* writes(): AsyncGenerator<Write> {
    for await (const { key, value } of carried(from)) {
      written += 1;
      if (written % 100_000 === 0) say(`${written} records`);
      yield { key, value };
    }
    for (const key of [headKey("openresty"), rulesKey]) {
      const entry = await from.get(key);
      if (entry !== undefined) yield { key, value: entry.value };
    }
  }
  await writeAll(patient(to), writes());
}

/** What is written here may be written twice. */
function patient(store: Store): Store {
  return {
    ...store,
    async commit(checks, writes) {
      for (let again = 0; ; again += 1) {
        try {
          return await store.commit(checks, writes);
        } catch (error) {
          if (!(error instanceof EntranceError) || again === maxRetries) throw error;
          await sleep(1_000);
        }
      }
    },
  };
}
