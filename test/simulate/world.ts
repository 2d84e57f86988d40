/** One simulation: a cluster that changes, copies of Entrance, their store and nodes, faults, and those who watch. */
import { defaultTiming } from "../../shared/reconcile/settings.ts";
import type { Store } from "../../shared/store/port.ts";
import type { TranslationSettings } from "../../shared/translate/translation.ts";
import { Apiserver } from "./apiserver.ts";
import { Caller } from "./caller.ts";
import { Copy } from "./copy.ts";
import { strike, strikeHalfThrough } from "./fault.ts";
import { clusterFor } from "./kubernetes.ts";
import { NodeServer } from "./node-server.ts";
import { HistoryOracle } from "./oracle/history.ts";
import { TrafficOracle } from "./oracle/traffic.ts";
import { newPlan, type Plan, randomOf } from "./plan.ts";
import type { Random } from "./random.ts";
import { ModelStore } from "./store.ts";
import { Time } from "./time.ts";
import { Trace } from "./trace.ts";

const startMs = 1_790_000_000_000;
/** A LIST that is to be confirmed by another one, and one whose copy died with it. */
const confirmedMs = 65_000;
const claimedMs = 65_000;
/** A seed with more than this has told enough. */
const maxViolations = 5;

/** The LIST as often as the timer four times: a whole period is no more than this much of virtual time. */
const timing = { ...defaultTiming, listMs: 20_000 };

/** What copies are run with, by generation. */
const translations: readonly TranslationSettings[] = [
  {
    balancers: [
      { name: "one", classes: ["one"] },
      { name: "two", classes: ["two"] },
    ],
    prefix: "entrance.dev",
  },
  {
    balancers: [
      { name: "one", classes: ["one", "extra"] },
      { name: "two", classes: ["two"] },
    ],
    prefix: "entrance.dev",
    httpSuffix: "apps.example",
  },
];

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly plan: Plan;
  readonly time = new Time(startMs);
  readonly trace: Trace;
  readonly store: ModelStore;
  readonly nodes: ReadonlyMap<string, NodeServer>;
  readonly apiserver: Apiserver;
  readonly history: HistoryOracle;
  readonly traffic: TrafficOracle;
  readonly violations: string[] = [];
  /** By place; undefined: it died and has not come back yet. */
  readonly copies: (Copy | undefined)[] = [];
  /** Nothing goes wrong any more. */
  isMended = false;
  /** A node has lost what it had, and it is by the minute that it is asked. */
  isWiped = false;
  /** The store went back to a backup. */
  isRestored = false;
  /** Routes that stay are on their way: what goes back from here on has them. */
  isRaised = false;
  /** How many there were when the last event was told. */
  listsBefore = 0;
  readonly #generations: number[] = [];
  #lives = 0;
  readonly #operator: Caller;
  #operated: Promise<unknown> = Promise.resolve();

  constructor(seed: number, print?: (line: string) => void) {
    this.seed = seed;
    this.random = randomOf(seed);
    this.plan = newPlan(seed, this.random.fork());
    const { plan, random, time } = this;
    this.trace = new Trace(time, print);
    const onFault = (sentence: string) => this.fault(sentence);
    this.store = new ModelStore(random.fork(), plan.pageSize);
    this.#operator = new Caller({
      name: "operator",
      time: this.time,
      random: random.fork(),
      trace: this.trace,
      outlived: true,
    });
    this.history = new HistoryOracle(this.store, this, onFault);
    this.traffic = new TrafficOracle(
      this.history,
      () => this.isRestored,
      () => Math.max(...this.copies.map((copy) => copy?.caller.thawedAtMs ?? 0)),
      onFault,
    );
    this.store.watcher = {
      read: (by, keys, listed) => this.history.read(by, keys, listed),
      committed: (commit) => {
        this.history.committed(commit);
        if (commit.writes.some(({ value }) => value?.includes('"unfinished":true'))) strikeHalfThrough(this, commit.by);
      },
    };
    const nodes = Object.entries(plan.nodes).flatMap(([balancer, count]) =>
      Array.from(
        { length: count },
        (_, index) => new NodeServer(`http://${balancer}-${index}`, balancer, time, random.fork()),
      ),
    );
    this.nodes = new Map(nodes.map((node) => [node.url, node]));
    for (const node of nodes) node.watcher = this.traffic;
    this.apiserver = new Apiserver({
      time,
      random: random.fork(),
      trace: this.trace,
      reviews: plan.reviews,
      audits: plan.audits,
      onAllowed: (key, sentMs) => this.#allowed(key, sentMs),
      pageSize: plan.pageSize,
      forbidsGet: plan.forbidsGet,
      copy: () => this.#listener(),
    });
    for (let place = 0; place < plan.copies; place += 1) this.start(place);
  }

  get isOver(): boolean {
    return this.violations.length >= maxViolations;
  }

  /** Lease, clock margin, timer and push timeout; what clocks differ by; a minute where a node may have lost its disk. */
  get boundMs(): number {
    const { leaseMs, clockMarginMs, timerMs, pushTimeoutMs, digestMs } = defaultTiming;
    const { skewsMs } = this.plan;
    const apartMs = Math.max(...skewsMs) - Math.min(...skewsMs);
    const lostMs = this.isWiped ? digestMs + timerMs + apartMs : 0;
    const listed = this.plan.hasApi ? 2 * (timing.listMs + apartMs) + confirmedMs + claimedMs : 0;
    return leaseMs + clockMarginMs + timerMs + pushTimeoutMs + apartMs + lostMs + listed;
  }

  fault(sentence: string): void {
    this.trace.add("VIOLATION", sentence);
    this.violations.push(sentence);
  }

  start(place: number): void {
    const { plan, time, random, trace, nodes, apiserver } = this;
    const generation = this.#generations[place] ?? 0;
    this.#lives += 1;
    this.copies[place] = new Copy({
      name: `copy-${place}`,
      life: this.#lives,
      time,
      random: random.fork(),
      trace,
      nodes,
      translation: translationOf(generation),
      generation,
      clusterFor: plan.hasApi
        ? (caller) => clusterFor(caller, apiserver, time, random.fork(), (key) => this.#read(caller, key))
        : undefined,
      isSoleWriter: plan.isSoleWriter,
      isLambda: plan.isLambda,
      skewMs: plan.skewsMs[place] ?? 0,
      timing,
      storeFor: (caller) => this.store.port(caller),
      onFault: (sentence) => this.fault(sentence),
    });
    trace.add(`copy-${place}`, `starts, life ${this.#lives}`);
  }

  /** An operator's command, after those before it; one that fails changed nothing, or is followed by another. */
  operate(command: (store: Store) => Promise<unknown>): void {
    const store = this.store.port(this.#operator);
    this.#operated = this.#operated.then(() => command(store)).catch(() => undefined);
  }

  /** The copy at this place is replaced by one with newer settings. */
  upgrade(place: number): void {
    this.#generations[place] = translations.length - 1;
    if (this.copies[place] !== undefined) this.kill(place);
    this.start(place);
  }

  get translation(): TranslationSettings {
    return translationOf(this.plan.upgrades ? translations.length - 1 : 0);
  }

  kill(place: number): void {
    this.copies[place]?.kill();
    this.copies[place] = undefined;
    this.trace.add(`copy-${place}`, "dies");
  }

  /** An object is on its way to who reads it. */
  #read(reader: Caller, key: string): void {
    const { apiserver, plan, random, time, trace } = this;
    if (!plan.readersFreeze || this.isMended || key.includes("/z/") || !random.one(20)) return;
    trace.add(reader.name, `freezes with ${key} in hand`);
    reader.freeze();
    void apiserver.delete(key);
    time.after(random.pick([500, 9_000, 25_000]), () => reader.thaw());
  }

  /** What was allowed is durable by then: a hint of it. */
  #allowed(key: string, sentMs: number): void {
    const isSaid = (this.history.hints.get(key) ?? 0) >= sentMs;
    if (this.plan.hasApi && !isSaid)
      this.fault(`2: a review of ${key} is allowed, and nothing says that it is to be read`);
  }

  /** Something goes wrong about now. */
  strike(): void {
    strike(this);
  }

  /** A request finds any copy that listens, or one that does not: its connection goes nowhere. */
  #listener(): Copy | undefined {
    const copy = this.random.pick(this.copies);
    // A function is thawed by the request that comes to it.
    if (copy !== undefined && this.plan.isLambda) copy.caller.thaw();
    return copy;
  }
}

function translationOf(generation: number): TranslationSettings {
  const found = translations[generation];
  if (found === undefined) throw new Error(`no settings of generation ${generation}`);
  return found;
}
