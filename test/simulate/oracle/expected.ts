/**
 * What balancers should have, worked out from the objects alone: translations are asked until nothing changes any more.
 * Only who came first to a contested name is taken from the store, and what became of objects that are a fault.
 */
import type { Reference } from "../../../shared/model/reference.ts";
import { isContest, parseReferenceKey, referenceKey } from "../../../shared/model/reference.ts";
import { parseResourceKey } from "../../../shared/model/resource-key.ts";
import type { SeenObject } from "../../../shared/model/seen/object.ts";
import type { Want } from "../../../shared/reconcile/want.ts";
import { translate } from "../../../shared/translate/translate.ts";
import type {
  Answer,
  Claim,
  Holding,
  Translation,
  TranslationSettings,
} from "../../../shared/translate/translation.ts";
import { isPoisoned } from "../poison.ts";

type Resources = Translation["resources"];

/** A contest that goes on for longer never ends. */
const maxRuns = 100_000;

interface Result {
  resources: Resources;
  holding: Holding | undefined;
  /** By referenceKey: what was read, with what was claimed. */
  uses: ReadonlyMap<string, Claim | null>;
}

export class Expected {
  readonly #settings: TranslationSettings;
  readonly #objects: ReadonlyMap<string, SeenObject>;
  /** What the store has. */
  readonly #wants: ReadonlyMap<string, Want>;
  readonly #results = new Map<string, Result>();
  /** By referenceKey: who reads it. */
  readonly #readers = new Map<string, Map<string, Claim | null>>();
  readonly #queue = new Set<string>();

  constructor(
    objects: ReadonlyMap<string, SeenObject>,
    wants: ReadonlyMap<string, Want>,
    settings: TranslationSettings,
  ) {
    this.#objects = objects;
    this.#wants = wants;
    this.#settings = settings;
    // Classes and Namespaces first: fewer have to be asked twice.
    for (const key of [...objects.keys()].sort((a, b) => rank(a) - rank(b))) this.#queue.add(key);
    for (let run = 0; this.#queue.size > 0; run += 1) {
      if (run > maxRuns) throw new Error("translations never come to rest");
      for (const key of this.#queue) {
        this.#queue.delete(key);
        this.#run(key);
        break;
      }
    }
  }

  /** By resource key. */
  resources(balancer: string): Map<string, unknown> {
    const all = new Map<string, unknown>();
    for (const { resources } of this.#results.values()) {
      for (const [key, value] of Object.entries(resources[balancer] ?? {})) all.set(key, value);
    }
    return all;
  }

  #run(key: string): void {
    const reference = parseReferenceKey(key);
    if (reference === undefined) return;
    const object = this.#objects.get(key);
    const next = object !== undefined && isPoisoned(object) ? this.#kept(key) : this.#translated(reference, object);
    const last = this.#results.get(key);
    this.#results.set(key, next);
    for (const [used, claim] of last?.uses ?? []) {
      if (next.uses.has(used)) continue;
      this.#readers.get(used)?.delete(key);
      if (claim !== null) this.#queue.add(used);
    }
    for (const [used, claim] of next.uses) {
      const readers = this.#readers.get(used) ?? new Map<string, Claim | null>();
      this.#readers.set(used, readers);
      const known = readers.get(key);
      readers.set(key, claim);
      if (!isSame(known ?? null, claim)) this.#queue.add(used);
    }
    const isNews = !isSame(last?.holding, next.holding) || !isSame(poolsOf(last?.resources), poolsOf(next.resources));
    if (isNews) for (const reader of this.#readers.get(key)?.keys() ?? []) this.#queue.add(reader);
  }

  #translated(reference: Reference, object: SeenObject | undefined): Result {
    const key = referenceKey(reference);
    const uses = new Map<string, Claim | null>();
    const readers = [...(this.#readers.get(key) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const claims = readers.flatMap(([user, claim]) => (claim === null ? [] : [{ user, claim }]));
    const holding = isContest(reference.kind) ? this.#wants.get(key)?.holding : undefined;
    const translating = translate(
      {
        reference,
        claims,
        ...(object === undefined ? {} : { object }),
        ...(holding === undefined ? {} : { holding }),
      },
      this.#settings,
    );
    let next = translating.next();
    while (next.done !== true) {
      for (const { reference: used, claim } of next.value) {
        uses.set(referenceKey(used), claim ?? uses.get(referenceKey(used)) ?? null);
      }
      next = translating.next(next.value.map((read) => this.#answer(read.reference)));
    }
    const { resources, failed } = next.value;
    if (failed) return this.#kept(key);
    return { resources, holding: next.value.holding, uses };
  }

  /** An object that is a fault keeps what it had, whatever that is. */
  #kept(key: string): Result {
    const want = this.#wants.get(key);
    const resources = Object.entries(want?.resources ?? {}).map(([balancer, all]) => [
      balancer,
      Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value])),
    ]);
    return {
      resources: Object.fromEntries(resources),
      holding: undefined,
      uses: new Map(Object.entries(want?.uses ?? {})),
    };
  }

  #answer(reference: Reference): Answer {
    const key = referenceKey(reference);
    const result = this.#results.get(key);
    const object = this.#objects.get(key);
    // Who held a name before holds it until its claims say otherwise.
    const holding = result === undefined ? this.#wants.get(key)?.holding : result.holding;
    return {
      reference,
      ...(object === undefined ? {} : { object }),
      pools: poolsOf(result?.resources),
      ...(holding === undefined || !isContest(reference.kind) ? {} : { holding }),
    };
  }
}

function rank(key: string): number {
  return ["IngressClass", "Namespace", "Ingress", "Service"].indexOf(key.split("/")[0] ?? "") >>> 0;
}

function poolsOf(resources: Resources = {}): Record<string, number[]> {
  const pools: Record<string, number[]> = {};
  for (const [balancer, all] of Object.entries(resources)) {
    const ports = Object.keys(all).flatMap((name) => {
      const parsed = parseResourceKey(name);
      return parsed?.kind === "Pool" ? [Number(parsed.segments[2])] : [];
    });
    if (ports.length > 0) pools[balancer] = ports.sort((a, b) => a - b);
  }
  return pools;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
