/** Rounds of changes and faults under traffic, each until all is at rest again. */
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { Random } from "../../simulate/random.ts";
import { calmNames, establishCalm } from "./calm.ts";
import { Cluster } from "./cluster.ts";
import { expectationOf } from "./expectation.ts";
import { type Faults, learn, ofEntrances, ofOthers, strike } from "./faults.ts";
import type { Field } from "./field.ts";
import { Fresh } from "./fresh.ts";
import { Lively, livelyNames } from "./lively.ts";
import { comeToRest } from "./rest.ts";
import { wronglyServed } from "./served.ts";
import { Traffic } from "./traffic.ts";
import { Watch } from "./watch.ts";
import { Wild, wildHosts, wildNames } from "./wild.ts";

/** 20 a second. */
const changeMs = 50;
/** Those that nobody has acknowledged yet. */
const maxPending = 200;
const acknowledgedWithinMs = 120_000;

export class Drill {
  readonly field: Field;
  readonly cluster: Cluster;
  readonly traffic: Traffic;
  readonly pairs: readonly Pair[];
  /** By kind: how often. */
  readonly counts = new Map<string, number>();
  /** How long it took each time. */
  readonly rests: number[] = [];
  readonly #instances: Faults["instances"] = new Map();
  readonly #random: Random;
  readonly #store;
  readonly #watch: Watch;
  readonly #fresh: Fresh;
  readonly #calm: Pair;
  readonly #lively: Lively;
  readonly #wild: Wild;

  constructor(field: Field, seed: number) {
    const random = new Random(seed);
    this.field = field;
    this.#random = random.fork();
    const calling = random.fork();
    this.cluster = new Cluster(random.fork(), () => calling.pick(field.entrances).url);
    const pairs = (names: readonly string[]) => [makeCertificate(names), makeCertificate(names)];
    const calm = makeCertificate(calmNames);
    const [lively, wild] = [pairs(livelyNames), pairs(wildNames)];
    this.pairs = [calm, ...lively, ...wild];
    this.#fresh = new Fresh(this.cluster, random.fork(), field.ports);
    this.#lively = new Lively(this.cluster, random.fork(), field.ports, lively);
    this.#wild = new Wild(this.cluster, random.fork(), field.ports, wild);
    this.#store = field.store.open();
    this.traffic = new Traffic(field.nodes, random.fork(), this.#fresh, calm.chain);
    this.#watch = new Watch(this.#store, field.nodes);
    this.#calm = calm;
  }

  /** Resolves when traffic runs. */
  async start(): Promise<void> {
    await Promise.all([establishCalm(this.cluster, this.field.ports, this.#calm), this.#lively.establish()]);
    await this.#rest();
    await Promise.all(this.field.entrances.map((entrance) => learn(entrance, this.#instances)));
    this.#watch.start();
    this.traffic.start();
  }

  /** For so long at least; each kind of fault happens. Returns sentences of what is wrong at its end. */
  async round(ms: number): Promise<string[]> {
    const since = performance.now();
    const isOver = () => performance.now() - since > ms;
    const faults: Faults = {
      field: this.field,
      random: this.#random,
      traffic: this.traffic,
      store: this.#store,
      counts: this.counts,
      instances: this.#instances,
    };
    let isStruck = false;
    const stream = this.#stream(() => isStruck);
    try {
      await Promise.all([strike(ofEntrances, faults, isOver), strike(ofOthers, faults, isOver)]);
    } finally {
      isStruck = true;
      await stream;
    }
    return this.#rest();
  }

  /** Nobody asks or looks any more. */
  async end(): Promise<void> {
    await Promise.all([this.traffic.end(), this.#watch.end()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#store.close();
  }

  get faults(): string[] {
    return [...this.traffic.faults, ...this.#watch.faults, ...this.cluster.webhooks.faults];
  }

  async #stream(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (this.cluster.pending < maxPending) void this.#change();
      await sleep(changeMs);
    }
  }

  async #change(): Promise<unknown> {
    const kind = this.#random.below(10);
    if (kind < 5) return this.#lively.change();
    return kind < 9 ? this.#wild.change() : this.#fresh.change();
  }

  async #rest(): Promise<string[]> {
    const { cluster, field } = this;
    for (const since = performance.now(); cluster.pending > 0; await sleep(10)) {
      if (performance.now() - since < acknowledgedWithinMs) continue;
      throw new Error(`${cluster.pending} are not acknowledged: ${cluster.webhooks.lastRefusal}`);
    }
    const { head, ms } = await comeToRest(this.#store, field.entrances, field.nodes);
    this.rests.push(ms);
    const expected = await expectationOf(cluster.objects, this.#store);
    const isEqual = expected.digest === head.digest;
    const wrong = isEqual ? [] : [`the nodes have another digest than the cluster's objects`, ...expected.differences];
    const hosts = [...wildHosts, ...this.#fresh.hosts.slice(-100)];
    const portOf = (name: string) => field.backends.find((backend) => backend.name === name)?.port;
    wrong.push(...(await wronglyServed(field.nodes, expected.resources, hosts, portOf)));
    const later = await comeToRest(this.#store, field.entrances, field.nodes);
    if (later.head.revision !== head.revision) wrong.push("something was changed while nothing happened");
    await this.#fresh.clear();
    return wrong;
  }
}
