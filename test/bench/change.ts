/**
 * One change, webhook to served: with 100 rules and with 10,000, side by side in one run. Time is taken from the
 * request to the door until a request through nginx is answered by the change; beside it stand the keys that the store
 * read and wrote, which do not depend on the machine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../functions/app.ts";
import { readConfig } from "../../functions/config.ts";
import { ProcessCounters } from "../../functions/counters.ts";
import { NodeHost } from "../../functions/node-host.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import { openResty } from "../../shared/plugins/openresty/plugin.ts";
import { Entrance } from "../../shared/reconcile/entrance.ts";
import { defaultTiming } from "../../shared/reconcile/settings.ts";
import { openNodeStore } from "../../shared/store/node-sqlite.ts";
import { translate } from "../../shared/translate/translate.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { countedStore, type Operation } from "../harness/counted-store.ts";
import { KEY, request, startNode, type TestNode } from "../harness/node.ts";
import { usualSecrets } from "../harness/secrets.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { median, quantile, type Ratio, ratioOf, rounded } from "./statistics.ts";
import { auditOf } from "./wire.ts";

export const changeKinds = ["EndpointSlice", "Service", "Ingress"] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface ChangeFigures {
  readonly ms100: number;
  readonly ms10000: number;
  readonly p99Ms10000: number;
  /** 10,000 rules against 100. */
  readonly ratio: Ratio;
  readonly operations100: number;
  readonly operations10000: number;
  readonly keysRead: number;
  readonly keysWritten: number;
}

const backendHost = "127.0.0.1";
const changes = 60;
const warmUp = 10;

/** A cluster of so many rules behind an Entrance, a store file and an nginx of its own. */
class Site {
  readonly operations: Operation[];
  readonly #app: ReturnType<typeof createApp>;
  readonly #entrance: Entrance;
  readonly #host: NodeHost;
  readonly #node: TestNode;
  readonly #backends: readonly [Backend, Backend];
  readonly #close: () => Promise<void>;
  #version = 0;

  constructor(parts: { directory: string; node: TestNode; backends: readonly [Backend, Backend] }) {
    const { store, operations } = countedStore(openNodeStore(join(parts.directory, "store.sqlite")));
    const url = `http://127.0.0.1:${parts.node.ports.admin}`;
    const balancers = [{ name: "openresty", classes: ["entrance"], nodes: [url], addresses: [] }];
    const plugin = openResty({ key: new SecretText(KEY), fetch, open: (secret) => usualSecrets.sealer.open(secret) });
    const counters = new ProcessCounters();
    this.operations = operations;
    this.#host = new NodeHost();
    this.#node = parts.node;
    this.#backends = parts.backends;
    this.#entrance = new Entrance({
      store,
      isSoleWriter: true,
      balancers: balancers.map((balancer) => ({ ...balancer, plugin })),
      translation: { balancers, prefix: "entrance.dev" },
      translate,
      secrets: usualSecrets.keeper,
      timing: defaultTiming,
      host: this.#host,
      now: Date.now,
      randomId: () => crypto.randomUUID().replaceAll("-", ""),
      instance: "bench",
      counters,
      warn: (sentence) => console.error(sentence),
    });
    this.#app = createApp({ entrance: this.#entrance, config: readConfig({}), counters });
    this.#close = async () => {
      await this.#host.settled();
      await store.close();
    };
  }

  /** Each rule is an Ingress of its own, with a Service and a slice. */
  async fill(rules: number): Promise<void> {
    const batch = 500;
    for (let start = 0; start < rules; start += batch) {
      const objects = Array.from({ length: Math.min(batch, rules - start) }, (_, index) =>
        this.#objects(start + index, 0),
      ).flat();
      await this.#entrance.observe(objects.map((object) => observed(object, this.#next())));
      await this.#host.settled();
    }
    this.operations.length = 0;
  }

  /** Ms from the door to the answer that shows it. Every change moves something of one rule to the other backend. */
  async change(kind: ChangeKind, number: number, turn: number): Promise<number> {
    const [service, slice, ingress] = this.#objects(number, kind === "EndpointSlice" ? turn % 2 : 0);
    const isOdd = turn % 2 === 1;
    const moved: SeenObject | undefined =
      kind === "EndpointSlice"
        ? slice
        : kind === "Service"
          ? { ...seenService("bench", `s${number}`), annotations: isOdd ? { http: `x${number}.example` } : {} }
          : isOdd
            ? seenIngress("bench", `i${number}`, [`h${number}.example`, `x${number}.example`], `s${number}`)
            : ingress;
    if (moved === undefined || service === undefined) throw new Error("no object");
    const host = kind === "EndpointSlice" ? `h${number}.example` : `x${number}.example`;
    const isServed =
      kind === "EndpointSlice"
        ? (answer: { text: string }) => answer.text.includes(`"name":"${this.#backends[turn % 2]?.name}"`)
        : (answer: { status: number }) => (answer.status === 200) === isOdd;
    const body = JSON.stringify(auditOf(moved, this.#next()));
    const start = performance.now();
    const response = await this.#app.request("/audit", { method: "POST", body });
    if (response.status !== 200) throw new Error(`the door answered ${response.status}: ${await response.text()}`);
    for (;;) {
      const answer = await request(this.#node.ports.http, "/", { headers: { host } });
      if (isServed(answer)) break;
      if (performance.now() - start > 10_000) throw new Error(`${kind} ${number} is not served: ${answer.status}`);
    }
    const elapsed = performance.now() - start;
    await this.#host.settled();
    return elapsed;
  }

  close(): Promise<void> {
    return this.#close();
  }

  #objects(number: number, backend: number): SeenObject[] {
    const slice = seenSlice("bench", `s${number}`, [backendHost]);
    const port = this.#backends[backend]?.port ?? 0;
    return [
      seenService("bench", `s${number}`),
      { ...slice, ports: [{ name: "http", port, protocol: "TCP" as const }] },
      seenIngress("bench", `i${number}`, [`h${number}.example`], `s${number}`),
    ];
  }

  #next(): number {
    this.#version += 1;
    return this.#version;
  }
}

export async function benchChange(say: (line: string) => void): Promise<Record<ChangeKind, ChangeFigures>> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-bench-"));
  await using a = await startBackend("a");
  await using b = await startBackend("b");
  const sites: { site: Site; node: TestNode; rules: number }[] = [];
  try {
    for (const rules of [100, 10_000]) {
      say(`filling ${rules} rules`);
      const node = await startNode({ memoryMiB: 256 });
      const site = new Site({ directory: join(directory, String(rules)), node, backends: [a, b] });
      sites.push({ site, node, rules });
      await site.fill(rules);
    }
    const [small, large] = sites;
    if (small === undefined || large === undefined) throw new Error("two sites are compared");
    const figures: Partial<Record<ChangeKind, ChangeFigures>> = {};
    for (const kind of changeKinds) {
      say(`changing ${kind}`);
      figures[kind] = await compare(kind, small.site, large.site);
    }
    return figures as Record<ChangeKind, ChangeFigures>;
  } finally {
    for (const { site, node } of sites) {
      await site.close();
      await node.stop();
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(kind: ChangeKind, small: Site, large: Site): Promise<ChangeFigures> {
  const times: [number[], number[]] = [[], []];
  const counts: [Operation[][], Operation[][]] = [[], []];
  for (let turn = 1; turn <= changes + warmUp; turn += 1) {
    // Who goes first changes with every second turn, so that neither always finds warm caches.
    const order = turn % 4 < 2 ? ([0, 1] as const) : ([1, 0] as const);
    for (const side of order) {
      const site = side === 0 ? small : large;
      site.operations.length = 0;
      const elapsed = await site.change(kind, 50, turn);
      if (turn <= warmUp) continue;
      times[side].push(elapsed);
      counts[side].push([...site.operations]);
    }
  }
  const last = counts[1].at(-1) ?? [];
  return {
    ms100: rounded(median(times[0])),
    ms10000: rounded(median(times[1])),
    p99Ms10000: rounded(quantile(times[1], 0.99)),
    ratio: ratioOf(times[1], times[0]),
    operations100: median(counts[0].map((list) => list.length)),
    operations10000: median(counts[1].map((list) => list.length)),
    keysRead: new Set(last.flatMap((operation) => operation.reads)).size,
    keysWritten: new Set(last.flatMap((operation) => operation.writes)).size,
  };
}
